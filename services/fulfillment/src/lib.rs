//! The fulfillment service: it begins when the payment is captured, goes forward on a client's
//! commands, and ends when the saga ends. It never calls another service. Start reading at
//! [`domain::path`] and [`domain::whenever`].

pub mod domain;
pub mod events;
pub mod http;

use std::sync::Arc;

use innkeeper_contracts::settings;
use innkeeper_kit::Repository;
use innkeeper_kit::show::Shown;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::Presenter;

use domain::State;

/// The state that all parts of the service share.
pub struct Fulfillments {
    repository: Repository<State>,
    presenter: Presenter,
    settings: settings::Fulfillment,
}

/// Creates a fulfillment service.
pub fn component(settings: &settings::Fulfillment, context: &Context) -> Component {
    let repository = Repository::new(
        &context.settings,
        &settings.words,
        Arc::clone(&context.store),
        Arc::clone(&context.clock),
    );
    let presenter = Presenter::new(&context.settings, &settings.words, Shown::Declared);
    let fulfillments = Arc::new(Fulfillments {
        repository,
        presenter,
        settings: settings.clone(),
    });
    Component {
        router: http::router(Arc::clone(&fulfillments), context),
        reactor: Some(fulfillments),
        ..Component::default()
    }
}
