//! Reacts to the end of a payment or a fulfillment.

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_runtime::component::Reactor;

use crate::Bookings;
use crate::domain::whenever;

#[async_trait]
impl Reactor for Bookings {
    fn wants(&self, event_type: EventType) -> bool {
        matches!(
            event_type,
            EventType::PaymentVoided
                | EventType::PaymentRefunded
                | EventType::FulfillmentCancelled
                | EventType::FulfillmentCompleted
        )
    }

    async fn react(&self, event: &Event) -> Result<Effect, Failure> {
        let (event_type, seen) = (event.event_type, event.data.clock);
        self.repository
            .react(event, false, move |stored, _| {
                whenever(stored, event_type, seen)
            })
            .await
    }
}
