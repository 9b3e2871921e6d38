//! Lists whose order means nothing keep the order that they have on the cluster: the same services in another order
//! must not make another settings file, which would restart pods.

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
        }
        Component::Fulfillment(fulfillment) => {
            arrange(&mut fulfillment.payments, &observed.payments, |it| it);
            arrange(&mut fulfillment.bookings, &observed.bookings, |it| it);
        }
        Component::Booking(_) | Component::View(_) => {}
    }
}

/// What was there first, in its order; then what is new, by name.
fn arrange<T>(wanted: &mut [T], observed: &[String], name: fn(&T) -> &str) {
    wanted.sort_by_cached_key(|item| {
        let index = observed.iter().position(|other| other == name(item));
        (index.unwrap_or(observed.len()), name(item).to_owned())
    });
}
