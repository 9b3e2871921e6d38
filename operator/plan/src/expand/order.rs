//! Lists whose order means nothing keep the order that they have on the cluster: the same services in another order
//! must not make another settings file, which would restart pods.

use innkeeper_contracts::settings::Component;
use innkeeper_crds::DomainServiceSpec;

/// Puts the lists of a service into the order that they have in the same service as it was observed.
pub(super) fn keep(wanted: &mut DomainServiceSpec, observed: &DomainServiceSpec) {
    arrange(&mut wanted.waits_for, &observed.waits_for, |it| it);
    match (&mut wanted.settings.component, &observed.settings.component) {
        (Component::Gateway(wanted), Component::Gateway(observed)) => {
            arrange(&mut wanted.routes, &observed.routes, |it| &it.service);
        }
        (Component::Payment(wanted), Component::Payment(observed)) => {
            arrange(&mut wanted.bookings, &observed.bookings, |it| it);
        }
        (Component::Fulfillment(wanted), Component::Fulfillment(observed)) => {
            arrange(&mut wanted.payments, &observed.payments, |it| it);
            arrange(&mut wanted.bookings, &observed.bookings, |it| it);
        }
        _ => {}
    }
}

/// What was there first, in its order; then what is new, by name.
fn arrange<T>(wanted: &mut [T], observed: &[T], name: fn(&T) -> &str) {
    wanted.sort_by_cached_key(|item| {
        let place = observed.iter().position(|other| name(other) == name(item));
        (place.unwrap_or(observed.len()), name(item).to_owned())
    });
}
