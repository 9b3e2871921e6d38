//! Reacts to the end of a payment or a fulfillment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_runtime::component::Reactor;

use crate::Bookings;
use crate::domain::{notes_delivery_in_vain, whenever};

#[async_trait]
impl Reactor for Bookings {
    fn wants(&self) -> &'static [EventType] {
        &[
            EventType::PAYMENT_VOIDED,
            EventType::PAYMENT_REFUNDED,
            EventType::FULFILLMENT_CANCELLED,
            EventType::FULFILLMENT_COMPLETED,
        ]
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        let happened = Arc::clone(event);
        let in_vain = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&in_vain);
        let reacted = self.repository.react(event, false, move |stored, _| {
            let decision = whenever(stored, happened.event_type, &happened.data);
            noted.store(notes_delivery_in_vain(&decision), Ordering::Relaxed);
            decision
        });
        let effect = reacted.await?;
        if effect == Effect::Done && in_vain.load(Ordering::Relaxed) {
            self.delivered_in_vain.inc();
        }
        Ok(effect)
    }
}
