//! Reacts to bookings.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_runtime::component::Reactor;

use crate::Payments;
use crate::domain::{opened, whenever};

#[async_trait]
impl Reactor for Payments {
    fn wants(&self) -> &'static [EventType] {
        &[
            EventType::BOOKING_CONFIRMED,
            EventType::BOOKING_CANCELLED,
            EventType::BOOKING_REJECTED,
            EventType::BOOKING_EXPIRED,
        ]
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        if !self.settings.bookings.contains(&event.source.service) {
            return Ok(Effect::None);
        }
        let policy = self.policy();
        let (event_type, seen) = (event.event_type, event.data.clock);
        let (saga, booking) = (event.correlation_id, event.data.snapshot.clone());
        self.repository
            .react(event, policy.opens_on(event_type), move |stored, id| {
                whenever(stored, policy, event_type, seen, || {
                    id.map(|id| opened(id, saga, &booking, None, seen))
                })
            })
            .await
    }
}
