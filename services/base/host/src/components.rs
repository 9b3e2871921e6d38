//! The table of components: which crate implements which.

use innkeeper_contracts::settings::Component as Settings;
use innkeeper_runtime::callee::InvalidAddress;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::metrics::Metrics;

/// Creates a component without a database.
type Stateless<'a> =
    Box<dyn FnOnce(Client, &Metrics) -> Result<Component, InvalidAddress> + Send + 'a>;

/// Creates a component with a database.
type Stateful<'a> =
    Box<dyn FnOnce(&Context, &Metrics) -> Result<Component, InvalidAddress> + Send + 'a>;

/// How a component is created.
pub enum Constructor<'a> {
    /// Of a component that has no database.
    Stateless(Stateless<'a>),
    /// Of a component that has a database.
    Stateful(Stateful<'a>),
}

/// The constructor of the component that the settings describe.
pub fn constructor(settings: &Settings) -> Constructor<'_> {
    match settings {
        Settings::Gateway(gateway) => Constructor::Stateless(Box::new(|client, metrics| {
            innkeeper_gateway::component(gateway, &client, metrics)
        })),
        Settings::Booking(booking) => Constructor::Stateful(Box::new(|context, metrics| {
            innkeeper_booking::component(booking, context, metrics)
        })),
        Settings::Payment(payment) => Constructor::Stateful(Box::new(|context, _| {
            innkeeper_payment::component(payment, context)
        })),
        Settings::Fulfillment(fulfillment) => {
            stateful(|context| innkeeper_fulfillment::component(fulfillment, context))
        }
        Settings::View(view) => stateful(|context| innkeeper_view::component(view, context)),
    }
}

fn stateful<'a>(make: impl FnOnce(&Context) -> Component + Send + 'a) -> Constructor<'a> {
    Constructor::Stateful(Box::new(|context, _| Ok(make(context))))
}
