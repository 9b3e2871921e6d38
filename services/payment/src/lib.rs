//! The payment service: authorizes by call, captures on an event or a client's command, and gives
//! money back when the saga ends. It never stores a card number, and never moves money twice for
//! one saga. Start reading at [`domain::path`], then [`authorize`] and [`events`].

pub mod authorize;
pub mod domain;
pub mod events;
pub mod http;

use std::sync::Arc;

use innkeeper_contracts::settings;
use innkeeper_kit::Repository;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;

use domain::{Policy, State};

/// The state that all parts of the service share.
pub struct Payments {
    repository: Repository<State>,
    settings: settings::Payment,
}

impl Payments {
    const fn policy(&self) -> Policy {
        Policy {
            capture: self.settings.capture,
            when: self.settings.when,
        }
    }
}

/// Creates a payment service.
pub fn component(settings: &settings::Payment, context: &Context) -> Component {
    let repository = Repository::new(
        &context.settings,
        &settings.words,
        Arc::clone(&context.store),
        Arc::clone(&context.clock),
    );
    let payments = Arc::new(Payments {
        repository,
        settings: settings.clone(),
    });
    Component {
        router: http::router(Arc::clone(&payments), context),
        reactor: Some(payments),
        chores: Vec::new(),
    }
}
