//! What a payment may become.

pub mod provider;
mod state;

use innkeeper_contracts::settings::{Capture, PaymentTime, Provider};
use innkeeper_contracts::{EventType, PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::stories::{Step, Stored};
use uuid::Uuid;

pub use state::State;

use provider::{Verdict, verdict};

/// The states that lead from the present one to the one that a client's label names; empty where nothing is left to do, `None` where the state
/// does not allow it. The labels of `voided` and `refunded` command the same: whatever gives the money back.
pub fn path(current: State, target: State) -> Option<&'static [State]> {
    match target {
        State::Captured => capture(current),
        State::Voided | State::Refunded => release(current),
        State::Requested | State::Authorized | State::Declined => {
            (current == target).then_some(&[])
        }
    }
}

fn capture(current: State) -> Option<&'static [State]> {
    match current {
        State::Requested => Some(&[State::Authorized, State::Captured]),
        State::Authorized => Some(&[State::Captured]),
        State::Captured => Some(&[]),
        State::Voided | State::Refunded | State::Declined => None,
    }
}

fn release(current: State) -> Option<&'static [State]> {
    match current {
        State::Captured => Some(&[State::Refunded]),
        State::Authorized | State::Requested => Some(&[State::Voided]),
        State::Voided | State::Refunded => Some(&[]),
        State::Declined => None,
    }
}

/// The payment after a path; the provider has its say where the path reserves money.
pub fn walked(payment: &Entity<State>, path: &[State], provider: Provider) -> Vec<Entity<State>> {
    if path.first() == Some(&State::Authorized)
        && let Verdict::Declined(reason) = verdict(provider, &payment.snapshot)
    {
        let declined = payment.moved(State::Declined, 0);
        return vec![Entity {
            reason: Some(reason),
            ..declined
        }];
    }
    payment.walked(path, 0)
}

/// A new payment as the provider's verdict leaves it.
pub fn opened(
    id: i64,
    correlation_id: Uuid,
    booking: &Snapshot,
    verdict: Option<Verdict>,
    seen: i64,
) -> Entity<State> {
    let (state, reason) = match verdict {
        None => (State::Requested, None),
        Some(Verdict::Approved) => (State::Authorized, None),
        Some(Verdict::Declined(reason)) => (State::Declined, Some(reason)),
    };
    let snapshot = Snapshot {
        ids: PublicIds {
            payment: Some(id),
            ..booking.ids
        },
        ..booking.clone()
    };
    Entity {
        correlation_id,
        id,
        version: 0,
        clock: seen + 1,
        state,
        snapshot,
        reason,
    }
}

/// How a payment reacts to what became of its booking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Whether money is taken at once or when the client says so.
    pub capture: Capture,
    /// When bookings are paid.
    pub when: Option<PaymentTime>,
}

impl Policy {
    /// Whether an event opens a payment.
    pub fn opens_on(self, event_type: EventType) -> bool {
        event_type == EventType::BookingConfirmed && self.when == Some(PaymentTime::Later)
    }
}

/// Whenever a booking moves; `open` makes the payment that a confirmed booking may open.
pub fn whenever(
    stored: &Stored<State>,
    policy: Policy,
    event_type: EventType,
    seen: i64,
    open: impl Fn() -> Option<Entity<State>>,
) -> Step<State> {
    match (stored, event_type) {
        (Stored::Absent, event_type) if policy.opens_on(event_type) => {
            open().map_or(Step::Keep, |entity| Step::Become(vec![entity]))
        }
        (Stored::Entity(entity), EventType::BookingConfirmed) => {
            confirmed(entity, policy.capture, seen)
        }
        (Stored::Absent, event_type) if ends(event_type) => Step::End(seen),
        (Stored::Entity(entity), event_type) if ends(event_type) => released(entity, seen),
        (Stored::Absent | Stored::Ended | Stored::Entity(_), _) => Step::Keep,
    }
}

/// Whether an event says that the story ended without being delivered.
pub const fn ends(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::BookingCancelled | EventType::BookingRejected | EventType::BookingExpired
    )
}

/// A confirmed booking is captured at once, or its clock is remembered, so that what the client does later comes later.
fn confirmed(entity: &Entity<State>, capture: Capture, seen: i64) -> Step<State> {
    match (capture, entity.state) {
        (Capture::Automatic, State::Authorized) => {
            Step::Become(vec![entity.moved(State::Captured, seen)])
        }
        _ if entity.clock < seen => Step::Become(vec![entity.having_seen(seen)]),
        _ => Step::Keep,
    }
}

fn released(entity: &Entity<State>, seen: i64) -> Step<State> {
    match release(entity.state) {
        None | Some([]) => Step::Keep,
        Some(path) => Step::Become(entity.walked(path, seen)),
    }
}
