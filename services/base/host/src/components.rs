//! Which crate is which component.

use innkeeper_contracts::settings::Component as Settings;
use innkeeper_gateway::forward::InvalidAddress;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::metrics::Metrics;

/// A component without rows.
pub fn stateless(
    settings: &Settings,
    client: Client,
    metrics: &Metrics,
) -> Option<Result<Component, InvalidAddress>> {
    match settings {
        Settings::Gateway(gateway) => Some(
            innkeeper_gateway::router(gateway, client, metrics).map(|router| Component {
                router,
                ..Component::default()
            }),
        ),
        Settings::Booking(_)
        | Settings::Payment(_)
        | Settings::Fulfillment(_)
        | Settings::View(_) => None,
    }
}

/// A component with rows; `None` for one without.
pub fn stateful(settings: &Settings, context: &Context) -> Option<Component> {
    match settings {
        Settings::Gateway(_) => None,
        Settings::Booking(booking) => Some(innkeeper_booking::component(booking, context)),
        Settings::Payment(payment) => Some(innkeeper_payment::component(payment, context)),
        Settings::Fulfillment(fulfillment) => {
            Some(innkeeper_fulfillment::component(fulfillment, context))
        }
        Settings::View(view) => Some(innkeeper_view::component(view, context)),
    }
}
