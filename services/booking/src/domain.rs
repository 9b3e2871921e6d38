//! What a booking may become.

mod state;

use innkeeper_contracts::EventType;
use innkeeper_contracts::calls::{AuthorizeAnswer, AuthorizeOutcome};
use innkeeper_contracts::{PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::stories::{Step, Stored};
use uuid::Uuid;

pub use state::State;

/// The states that lead from the present one to the one that a client's label names; empty where nothing is left to do, `None` where the state
/// does not allow it. The one thing a client can ask for is to cancel.
pub fn path(current: State, target: State) -> Option<&'static [State]> {
    match (current, target) {
        _ if current == target => Some(&[]),
        (State::Pending | State::Confirmed, State::Cancelled) => Some(&[State::Cancelled]),
        _ => None,
    }
}

/// A booking before anybody was asked about it.
pub fn placed(
    id: i64,
    correlation_id: Uuid,
    wanted: Snapshot,
    currency: Option<&str>,
) -> Entity<State> {
    let snapshot = Snapshot {
        currency: currency.map(ToOwned::to_owned),
        ids: PublicIds {
            booking: Some(id),
            ..PublicIds::default()
        },
        ..wanted
    };
    Entity {
        correlation_id,
        id,
        version: 0,
        clock: 1,
        state: State::Pending,
        snapshot,
        reason: None,
    }
}

/// A pending booking after the payment service's answer; `None` where the answer settles nothing.
pub fn answered(booking: &Entity<State>, answer: &AuthorizeAnswer) -> Option<Entity<State>> {
    match &answer.outcome {
        AuthorizeOutcome::Authorized { id } => {
            let mut confirmed = booking.moved(State::Confirmed, answer.clock);
            confirmed.snapshot.ids.payment = Some(*id);
            Some(confirmed)
        }
        AuthorizeOutcome::Declined { reason, .. } => Some(Entity {
            reason: Some(reason.clone()),
            ..booking.moved(State::Rejected, answer.clock)
        }),
        AuthorizeOutcome::Ended | AuthorizeOutcome::Unknown => None,
    }
}

/// A pending booking that was given up by its client, once payment was asked what became of it (`None`: unreachable, or nobody to ask). Only one
/// that its client can still ask about, by its key, may become confirmed.
pub fn recovered(
    booking: &Entity<State>,
    has_key: bool,
    answer: Option<&AuthorizeAnswer>,
) -> Entity<State> {
    let settled = answer
        .filter(|_| has_key)
        .and_then(|answer| answered(booking, answer));
    match settled {
        Some(booking) if booking.state == State::Confirmed => booking,
        _ => booking.moved(State::Expired, answer.map_or(0, |answer| answer.clock)),
    }
}

/// Whenever a payment is given back or a fulfillment is cancelled, the booking is; whenever its fulfillment completes, so does the booking.
pub fn whenever(stored: &Stored<State>, event_type: EventType, seen: i64) -> Step<State> {
    let Stored::Entity(booking) = stored else {
        return Step::Keep;
    };
    let state = match (event_type, booking.state) {
        (
            EventType::PaymentVoided | EventType::PaymentRefunded | EventType::FulfillmentCancelled,
            State::Pending | State::Confirmed,
        ) => State::Cancelled,
        (EventType::FulfillmentCompleted, State::Confirmed) => State::Completed,
        _ => return Step::Keep,
    };
    Step::Become(vec![booking.moved(state, seen)])
}
