//! How services run: what the API server would refuse of the objects that they become.

use innkeeper_crds::BookingPlatformSpec;

use crate::refusal::Collector;

pub(super) fn check(_spec: &BookingPlatformSpec, _collector: &mut Collector) {}
