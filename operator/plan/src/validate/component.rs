//! The one component of a service.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::Service;
use innkeeper_crds::rules::ONE_COMPONENT;

use super::{Component, view};
use crate::refusal::Collector;

pub(super) fn component(
    platform: &BookingPlatform,
    service: &Service,
    place: &str,
    collector: &mut Collector,
) -> Option<Component> {
    let mut found = blocks(service);
    if let (Some(one), true) = (found.pop(), found.is_empty()) {
        return Some(match one {
            Block::Ready(component) => component,
            Block::View => Component::View(view::columns(platform, service, place, collector)),
        });
    }
    collector.refuse(place, ONE_COMPONENT.1);
    None
}

enum Block {
    Ready(Component),
    View,
}

fn blocks(service: &Service) -> Vec<Block> {
    let gateway = service.gateway.clone().map(Component::Gateway);
    let booking = service.booking.clone().map(Component::Booking);
    let payment = service.payment.clone().map(Component::Payment);
    let fulfillment = service.fulfillment.clone().map(Component::Fulfillment);
    [gateway, booking, payment, fulfillment]
        .into_iter()
        .flatten()
        .map(Block::Ready)
        .chain(service.view.as_ref().map(|_| Block::View))
        .collect()
}
