//! Keeps the order of lists in which the order has no meaning. Otherwise the same services in
//! another order would make another settings file, and pods would restart.

use innkeeper_contracts::settings::Component;
use innkeeper_crds::DomainServiceSpec;

use crate::facts::Order;

/// Puts the lists of a service into the order that they have on the cluster.
pub(super) fn keep(wanted: &mut DomainServiceSpec, observed: &Order) {
    arrange(&mut wanted.waits_for, &observed.waits_for, |it| it);
    match &mut wanted.settings.component {
        Component::Gateway(gateway) => {
            arrange(&mut gateway.routes, &observed.routes, |it| &it.service);
        }
        Component::Payment(payment) => {
            arrange(&mut payment.bookings, &observed.bookings, |it| it);
            let addresses = &mut payment.booking_addresses;
            arrange(addresses, &observed.bookings, |it| &it.service);
        }
        Component::Fulfillment(fulfillment) => {
            arrange(&mut fulfillment.payments, &observed.payments, |it| it);
            arrange(&mut fulfillment.bookings, &observed.bookings, |it| it);
        }
        Component::Booking(_) | Component::View(_) => {}
    }
}

/// Puts the known items first, in their order on the cluster, and then the new ones by name.
fn arrange<T>(wanted: &mut [T], observed: &[String], name: fn(&T) -> &str) {
    wanted.sort_by_cached_key(|item| {
        let index = observed.iter().position(|other| other == name(item));
        (index.unwrap_or(observed.len()), name(item).to_owned())
    });
}
