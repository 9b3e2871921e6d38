//! The view service: one row per saga, whose columns show fields of other services. It only changes
//! its own rows, and takes no commands. Start reading at [`domain::Cells::update`].

pub mod domain;
pub mod events;
pub mod http;

use std::sync::Arc;

use innkeeper_contracts::settings;
use innkeeper_kit::store::Store;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;

/// The state that all parts of the service share.
pub struct View {
    store: Arc<dyn Store>,
    settings: Arc<settings::View>,
}

/// Creates a view service.
pub fn component(settings: &settings::View, context: &Context) -> Component {
    let view = Arc::new(View {
        store: Arc::clone(&context.store),
        settings: Arc::new(settings.clone()),
    });
    Component {
        router: http::router(Arc::clone(&view), context),
        reactor: Some(view),
        ..Component::default()
    }
}
