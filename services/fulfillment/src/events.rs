//! Reacts to captured payments and to the end of bookings.

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Stored;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::StoreError;
use innkeeper_runtime::component::Reactor;

use crate::Fulfillments;
use crate::domain::whenever;

#[async_trait]
impl Reactor for Fulfillments {
    fn wants(&self, event_type: EventType) -> bool {
        event_type == EventType::PaymentCaptured || event_type.ends_saga()
    }

    async fn react(&self, event: &Event) -> Result<Effect, StoreError> {
        let sources = if event.event_type.ends_saga() {
            &self.settings.bookings
        } else {
            &self.settings.payments
        };
        if !sources.contains(&event.source.service) {
            return Ok(Effect::None);
        }
        let id = self.reserve_id_to_begin(event).await?;
        self.repository
            .react(event, |stored| {
                whenever(stored, self.settings.start_as, event, id)
            })
            .await
    }
}

impl Fulfillments {
    /// Reserves an id for the fulfillment that this event may begin.
    async fn reserve_id_to_begin(&self, event: &Event) -> Result<Option<i64>, StoreError> {
        if event.event_type != EventType::PaymentCaptured {
            return Ok(None);
        }
        match self.repository.load(event.correlation_id).await? {
            Stored::Absent => self.repository.store().reserve_id().await.map(Some),
            Stored::Ended | Stored::Entity(_) => Ok(None),
        }
    }
}
