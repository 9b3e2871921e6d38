//! Reacts to captured payments and to the end of bookings.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_runtime::component::Reactor;

use crate::Fulfillments;
use crate::domain::whenever;

#[async_trait]
impl Reactor for Fulfillments {
    fn wants(&self) -> &'static [EventType] {
        &[
            EventType::PAYMENT_CAPTURED,
            EventType::BOOKING_CANCELLED,
            EventType::BOOKING_REJECTED,
            EventType::BOOKING_EXPIRED,
        ]
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        let sources = if event.event_type.ends_saga() {
            &self.settings.bookings
        } else {
            &self.settings.payments
        };
        if !sources.contains(&event.source.service) {
            return Ok(Effect::None);
        }
        let begins = event.event_type == EventType::PAYMENT_CAPTURED;
        let (start_as, seen) = (self.settings.start_as, event.clone());
        self.repository
            .react(event, begins, move |stored, id| {
                whenever(stored, start_as, &seen, id)
            })
            .await
    }
}
