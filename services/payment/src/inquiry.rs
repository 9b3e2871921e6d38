//! The safety net of payments: whatever event is lost, no money stays with a booking that ended.

use async_trait::async_trait;
use innkeeper_contracts::calls::BookingAnswer;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::Decision;
use innkeeper_kit::store::{Row, Scope, StepInput};
use innkeeper_kit::{Failure, State as _};
use innkeeper_runtime::safety_net::{Held, Holder};

use crate::Payments;
use crate::domain::{State, learned};

#[async_trait]
impl Holder for Payments {
    fn held(&self, row: &Row) -> Held {
        match State::parse(&row.state) {
            // All that changes an authorized payment and leaves it so is that its booking was
            // confirmed (ADR 5).
            Some(State::Authorized) if row.version == 1 => Held::Unheard,
            Some(State::Authorized | State::Captured) => Held::Heard,
            _ => Held::Nothing,
        }
    }

    async fn settle(&self, booking: &BookingAnswer) -> Result<bool, Failure> {
        let input = StepInput::about(Scope::Saga(booking.correlation_id));
        let (capture, outcome, seen) = (self.settings.capture, booking.outcome, booking.clock);
        let settled = self
            .repository
            .run(input, Cause::default(), move |stored, _| {
                let decision = learned(stored, capture, outcome, seen);
                let changes = decision != Decision::Keep;
                Ok((decision, changes))
            });
        let (_, changes) = settled.await?.done();
        Ok(changes)
    }
}
