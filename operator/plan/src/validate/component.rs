//! Validates the component of a service; there must be exactly one.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::Service;
use innkeeper_crds::rules::ONE_COMPONENT;

use super::{Component, view};
use crate::refusal::Collector;

pub(super) fn component(
    platform: &BookingPlatform,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) -> Option<Component> {
    if blocks(service) != 1 {
        collector.refuse(field_path, ONE_COMPONENT.1);
        return None;
    }
    let gateway = || service.gateway.clone().map(Component::Gateway);
    let booking = || service.booking.clone().map(Component::Booking);
    let payment = || service.payment.clone().map(Component::Payment);
    let fulfillment = || service.fulfillment.clone().map(Component::Fulfillment);
    let view = || {
        Some(Component::View(view::columns(
            platform, service, field_path, collector,
        )))
    };
    gateway()
        .or_else(booking)
        .or_else(payment)
        .or_else(fulfillment)
        .or_else(view)
}

fn blocks(service: &Service) -> usize {
    [
        service.gateway.is_some(),
        service.booking.is_some(),
        service.payment.is_some(),
        service.fulfillment.is_some(),
        service.view.is_some(),
    ]
    .into_iter()
    .filter(|there| *there)
    .count()
}
