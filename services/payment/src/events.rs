//! Reacts to bookings.

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::StoreError;
use innkeeper_runtime::component::Reactor;

use crate::Payments;
use crate::domain::{opened, whenever};

#[async_trait]
impl Reactor for Payments {
    fn wants(&self, event_type: EventType) -> bool {
        event_type == EventType::BookingConfirmed || event_type.ends_saga()
    }

    async fn react(&self, event: &Event) -> Result<Effect, StoreError> {
        if !self.settings.bookings.contains(&event.source.service) {
            return Ok(Effect::None);
        }
        let id = self.reserve_id_to_open(event).await?;
        let (policy, seen) = (self.policy(), event.data.clock);
        self.repository
            .react(event, |stored| {
                whenever(stored, policy, event.event_type, seen, || {
                    id.map(|id| opened(id, event.correlation_id, &event.data.snapshot, None, seen))
                })
            })
            .await
    }
}

impl Payments {
    /// Reserves an id for the payment that this event may open.
    async fn reserve_id_to_open(&self, event: &Event) -> Result<Option<i64>, StoreError> {
        if !self.policy().opens_on(event.event_type) {
            return Ok(None);
        }
        match self.repository.load(event.correlation_id).await? {
            innkeeper_kit::Stored::Absent => self.repository.store().reserve_id().await.map(Some),
            _ => Ok(None),
        }
    }
}
