//! The table of components: which crate makes which.

use axum::Router;
use innkeeper_contracts::settings::Component as Settings;
use innkeeper_gateway::forward::InvalidAddress;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::metrics::Metrics;

/// Makes a component that keeps no rows.
type Stateless<'a> =
    Box<dyn FnOnce(Client, &Metrics) -> Result<Router, InvalidAddress> + Send + 'a>;

/// Makes a component that keeps rows in the context's store.
type Stateful<'a> = Box<dyn FnOnce(&Context) -> Component + Send + 'a>;

/// How a component is made.
pub enum Constructor<'a> {
    /// Without rows.
    Stateless(Stateless<'a>),
    /// With rows.
    Stateful(Stateful<'a>),
}

/// The constructor of the component that the settings describe.
pub fn constructor(settings: &Settings) -> Constructor<'_> {
    match settings {
        Settings::Gateway(gateway) => Constructor::Stateless(Box::new(|client, metrics| {
            innkeeper_gateway::router(gateway, client, metrics)
        })),
        Settings::Booking(booking) => {
            stateful(|context| innkeeper_booking::component(booking, context))
        }
        Settings::Payment(payment) => {
            stateful(|context| innkeeper_payment::component(payment, context))
        }
        Settings::Fulfillment(fulfillment) => {
            stateful(|context| innkeeper_fulfillment::component(fulfillment, context))
        }
        Settings::View(view) => stateful(|context| innkeeper_view::component(view, context)),
    }
}

fn stateful<'a>(make: impl FnOnce(&Context) -> Component + Send + 'a) -> Constructor<'a> {
    Constructor::Stateful(Box::new(make))
}
