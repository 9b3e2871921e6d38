//! The rules of a payment: which states may follow which.

pub mod provider;
mod state;

use innkeeper_contracts::calls::BookingOutcome;
use innkeeper_contracts::settings::{Capture, PaymentTime, Provider};
use innkeeper_contracts::{EventType, PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::repository::{Decision, Stored};
use uuid::Uuid;

pub use state::State;

use provider::{Approval, approval};

/// The states on the way from the present state to the one that a client asks for; empty if nothing
/// is left to do, `None` if the present state does not allow it. The labels of `voided` and
/// `refunded` are the same command: to give the money back, whichever way.
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

/// The payment after each state of a path. If the path authorizes, the provider decides: a payment
/// that it declines stays as it is and keeps the reason, so that the client can try again.
pub fn walked(payment: &Entity<State>, path: &[State], provider: Provider) -> Vec<Entity<State>> {
    if path.first() != Some(&State::Authorized) {
        return payment.walked(path, 0);
    }
    match approval(provider, &payment.snapshot) {
        Approval::Approved => {
            let asked_again = Entity {
                reason: None,
                ..payment.clone()
            };
            asked_again.walked(path, 0)
        }
        Approval::Declined(reason) => vec![Entity {
            reason: Some(reason),
            ..payment.clone()
        }],
    }
}

/// A new payment: requested if the provider was not asked, else authorized or declined.
pub fn opened(
    id: i64,
    correlation_id: Uuid,
    booking: &Snapshot,
    approval: Option<Approval>,
    seen: i64,
) -> Entity<State> {
    let (state, reason) = match approval {
        None => (State::Requested, None),
        Some(Approval::Approved) => (State::Authorized, None),
        Some(Approval::Declined(reason)) => (State::Declined, Some(reason)),
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

/// How a payment reacts to its booking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Whether money is captured on confirmation or on a client's command.
    pub capture: Capture,
    /// When bookings are paid; `None` if no booking service says so.
    pub when: Option<PaymentTime>,
}

impl Policy {
    /// Whether an event opens a new payment.
    pub fn opens_on(self, event_type: EventType) -> bool {
        event_type == EventType::BOOKING_CONFIRMED && self.when == Some(PaymentTime::Later)
    }
}

/// Whenever a booking is confirmed, its payment is opened or captured. Whenever a booking ends, its
/// payment is voided or refunded. `open` makes the new payment.
pub fn whenever(
    stored: &Stored<State>,
    policy: Policy,
    event_type: EventType,
    seen: i64,
    open: impl Fn() -> Option<Entity<State>>,
) -> Decision<State> {
    match (stored, event_type) {
        (Stored::Absent, event_type) if policy.opens_on(event_type) => {
            open().map_or(Decision::Keep, |entity| Decision::Become(vec![entity]))
        }
        (Stored::Entity(entity), EventType::BOOKING_CONFIRMED) => {
            confirmed(entity, policy.capture, seen)
        }
        (Stored::Absent, event_type) if event_type.ends_saga() => Decision::End(seen),
        (Stored::Entity(entity), event_type) if event_type.ends_saga() => released(entity, seen),
        (Stored::Absent | Stored::Ended | Stored::Entity(_), _) => Decision::Keep,
    }
}

/// What a payment becomes whose time is over: nobody paid it, so that it is voided and says so. A
/// client's capture and the end of the time are both steps on this row, and never cross.
pub fn overdue(stored: &Stored<State>) -> Decision<State> {
    match stored.entity() {
        Some(payment) if payment.state == State::Requested => {
            let mut unpaid = payment.moved(State::Voided, 0);
            unpaid.snapshot.unpaid = true;
            unpaid.reason = Some("it was not paid in time".to_owned());
            Decision::Become(vec![unpaid])
        }
        _ => Decision::Keep,
    }
}

/// What a payment becomes once its booking service was asked: the same that the event would have
/// made of it. The answer may be older than what the payment has heard meanwhile. That a booking is
/// unknown says nothing about a payment that has heard of it: its booking service may have left the
/// platform, or have been restored to an earlier time.
pub fn learned(
    stored: &Stored<State>,
    capture: Capture,
    outcome: BookingOutcome,
    seen: i64,
) -> Decision<State> {
    match (stored, outcome) {
        (Stored::Entity(entity), BookingOutcome::Ended) => released(entity, seen),
        (Stored::Entity(entity), BookingOutcome::Unknown) if is_unheard(entity) => {
            released(entity, seen)
        }
        (Stored::Entity(entity), BookingOutcome::Confirmed) if is_unheard(entity) => {
            confirmed(entity, capture, seen)
        }
        (Stored::Absent | Stored::Ended | Stored::Entity(_), _) => Decision::Keep,
    }
}

/// Whether a payment has not heard that its booking is confirmed: all that changes an authorized
/// payment and leaves it so is that confirmation (ADR 5).
fn is_unheard(entity: &Entity<State>) -> bool {
    entity.state == State::Authorized && entity.version == 1
}

/// Captures the payment of a confirmed booking, or else raises its clock, so that a later command
/// of the client counts as later.
fn confirmed(entity: &Entity<State>, capture: Capture, seen: i64) -> Decision<State> {
    match (capture, entity.state) {
        (Capture::Automatic, State::Authorized) => {
            Decision::Become(vec![entity.moved(State::Captured, seen)])
        }
        _ if entity.clock < seen => Decision::Become(vec![entity.having_seen(seen)]),
        _ => Decision::Keep,
    }
}

fn released(entity: &Entity<State>, seen: i64) -> Decision<State> {
    match release(entity.state) {
        None | Some([]) => Decision::Keep,
        Some(path) => Decision::Become(entity.walked(path, seen)),
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_kit::State as _;

    use super::*;

    fn payment(state: State) -> Entity<State> {
        let booking = Snapshot {
            amount: Some(50_000),
            ..Snapshot::default()
        };
        let opened = opened(1, Uuid::nil(), &booking, None, 2);
        Entity {
            state,
            version: 1,
            ..opened
        }
    }

    fn policy(capture: Capture) -> Policy {
        Policy {
            capture,
            when: Some(PaymentTime::OnPlacement),
        }
    }

    fn reaction(
        stored: &Stored<State>,
        capture: Capture,
        event_type: EventType,
    ) -> Decision<State> {
        whenever(stored, policy(capture), event_type, 9, || None)
    }

    #[test]
    fn the_commands_that_are_declared_are_those_of_the_table() {
        innkeeper_testkit::commands::assert_agree(&innkeeper_contracts::commands::PAYMENT, path);
    }

    #[test]
    fn the_label_of_captured_takes_the_money_once() {
        let expected: [(State, Option<&[State]>); 6] = [
            (
                State::Requested,
                Some(&[State::Authorized, State::Captured]),
            ),
            (State::Authorized, Some(&[State::Captured])),
            (State::Captured, Some(&[])),
            (State::Voided, None),
            (State::Refunded, None),
            (State::Declined, None),
        ];
        for (state, expected) in expected {
            assert_eq!(path(state, State::Captured), expected, "{state:?}");
        }
    }

    #[test]
    fn the_labels_of_voided_and_refunded_give_back_what_there_is() {
        for target in [State::Voided, State::Refunded] {
            let expected: [(State, Option<&[State]>); 6] = [
                (State::Requested, Some(&[State::Voided])),
                (State::Authorized, Some(&[State::Voided])),
                (State::Captured, Some(&[State::Refunded])),
                (State::Voided, Some(&[])),
                (State::Refunded, Some(&[])),
                (State::Declined, None),
            ];
            for (state, expected) in expected {
                assert_eq!(path(state, target), expected, "{state:?}");
            }
        }
    }

    #[test]
    fn other_labels_are_only_accepted_where_they_are_the_state() {
        for target in [State::Requested, State::Authorized, State::Declined] {
            for state in State::ALL.iter().copied() {
                let expected: Option<&[State]> = (state == target).then_some(&[]);
                assert_eq!(path(state, target), expected, "{state:?} to {target:?}");
            }
        }
    }

    #[test]
    fn a_requested_payment_above_the_limit_stays_requested_and_keeps_the_reason() {
        let capture: &[State] = &[State::Authorized, State::Captured];
        let limited = Provider::Test {
            decline_above: Some(49_999),
        };
        let requested = payment(State::Requested);
        let chain = walked(&requested, capture, limited);
        assert_eq!(chain.len(), 1);
        assert_eq!(chain[0].state, State::Requested);
        assert!(chain[0].reason.as_deref().unwrap().contains("49999"));

        let unlimited = Provider::default();
        let paid = walked(&chain[0], capture, unlimited).pop().unwrap();
        assert_eq!((paid.state, paid.reason), (State::Captured, None));
    }

    #[test]
    fn a_confirmed_booking_is_captured_automatically_or_remembered() {
        let authorized = Stored::Entity(payment(State::Authorized));
        let captured = Decision::Become(vec![payment(State::Authorized).moved(State::Captured, 9)]);
        assert_eq!(
            reaction(
                &authorized,
                Capture::Automatic,
                EventType::BOOKING_CONFIRMED
            ),
            captured
        );
        let remembered = Decision::Become(vec![payment(State::Authorized).having_seen(9)]);
        assert_eq!(
            reaction(&authorized, Capture::Manual, EventType::BOOKING_CONFIRMED),
            remembered
        );
    }

    #[test]
    fn the_end_of_a_saga_gives_the_money_back_or_leaves_a_tombstone() {
        for event_type in [
            EventType::BOOKING_CANCELLED,
            EventType::BOOKING_REJECTED,
            EventType::BOOKING_EXPIRED,
        ] {
            let voided = Decision::Become(vec![payment(State::Authorized).moved(State::Voided, 9)]);
            let refunded =
                Decision::Become(vec![payment(State::Captured).moved(State::Refunded, 9)]);
            let at = |state| reaction(&Stored::Entity(payment(state)), Capture::Manual, event_type);
            assert_eq!(at(State::Authorized), voided);
            assert_eq!(at(State::Captured), refunded);
            for state in [State::Voided, State::Refunded, State::Declined] {
                assert_eq!(at(state), Decision::Keep, "{state:?}");
            }
            assert_eq!(
                reaction(&Stored::Absent, Capture::Manual, event_type),
                Decision::End(9)
            );
            assert_eq!(
                reaction(&Stored::Ended, Capture::Manual, event_type),
                Decision::Keep
            );
        }
    }

    fn after_asking(state: State, capture: Capture, outcome: BookingOutcome) -> Decision<State> {
        learned(&Stored::Entity(payment(state)), capture, outcome, 9)
    }

    #[test]
    fn a_booking_that_ended_gets_its_money_back() {
        let at = |state| after_asking(state, Capture::Automatic, BookingOutcome::Ended);
        for (held, given_back) in [
            (State::Authorized, State::Voided),
            (State::Captured, State::Refunded),
        ] {
            let moved = payment(held).moved(given_back, 9);
            assert_eq!(at(held), Decision::Become(vec![moved]));
        }
        for state in [State::Voided, State::Refunded, State::Declined] {
            assert_eq!(at(state), Decision::Keep, "{state:?}");
        }
    }

    #[test]
    fn an_unknown_booking_gets_its_money_back_unless_it_was_heard_of() {
        let unknown = BookingOutcome::Unknown;
        let voided = payment(State::Authorized).moved(State::Voided, 9);
        assert_eq!(
            after_asking(State::Authorized, Capture::Manual, unknown),
            Decision::Become(vec![voided])
        );
        let heard = Entity {
            version: 2,
            ..payment(State::Authorized)
        };
        for kept in [heard, payment(State::Captured)] {
            let step = learned(&Stored::Entity(kept), Capture::Manual, unknown, 9);
            assert_eq!(step, Decision::Keep);
        }
    }

    #[test]
    fn what_was_authorized_before_capture_became_automatic_is_not_captured_by_asking() {
        let heard = Entity {
            version: 2,
            ..payment(State::Authorized)
        };
        let confirmed = BookingOutcome::Confirmed;
        let step = learned(&Stored::Entity(heard), Capture::Automatic, confirmed, 9);
        assert_eq!(step, Decision::Keep);
    }

    #[test]
    fn a_booking_that_lives_keeps_its_money_and_the_lost_confirmation_has_its_effect() {
        let confirmed = BookingOutcome::Confirmed;
        let authorized = payment(State::Authorized);
        assert_eq!(
            after_asking(State::Authorized, Capture::Automatic, confirmed),
            Decision::Become(vec![authorized.moved(State::Captured, 9)])
        );
        assert_eq!(
            after_asking(State::Authorized, Capture::Manual, confirmed),
            Decision::Become(vec![authorized.having_seen(9)])
        );
        assert_eq!(
            after_asking(State::Captured, Capture::Automatic, confirmed),
            Decision::Keep
        );
        let pending = BookingOutcome::Pending {
            until: jiff::Timestamp::UNIX_EPOCH,
        };
        for state in State::ALL.iter().copied() {
            let step = after_asking(state, Capture::Automatic, pending);
            assert_eq!(step, Decision::Keep, "{state:?}");
        }
    }

    #[test]
    fn only_a_requested_payment_is_ever_overdue() {
        for state in State::ALL.iter().copied() {
            let decision = overdue(&Stored::Entity(payment(state)));
            if state != State::Requested {
                assert_eq!(decision, Decision::Keep, "{state:?}");
                continue;
            }
            let Decision::Become(chain) = decision else {
                panic!("{decision:?}")
            };
            assert_eq!(
                (chain[0].state, chain[0].snapshot.unpaid),
                (State::Voided, true)
            );
        }
        assert_eq!(overdue(&Stored::Absent), Decision::Keep);
        assert_eq!(overdue(&Stored::Ended), Decision::Keep);
    }

    #[test]
    fn a_booking_that_is_paid_later_opens_a_requested_payment() {
        let later = Policy {
            capture: Capture::Manual,
            when: Some(PaymentTime::Later),
        };
        let open = || Some(opened(3, Uuid::nil(), &Snapshot::default(), None, 9));
        let step = whenever(
            &Stored::Absent,
            later,
            EventType::BOOKING_CONFIRMED,
            9,
            open,
        );
        let Decision::Become(chain) = step else {
            panic!("{step:?}")
        };
        assert_eq!((chain[0].state, chain[0].clock), (State::Requested, 10));
        assert_eq!(
            whenever(&Stored::Ended, later, EventType::BOOKING_CONFIRMED, 9, open),
            Decision::Keep
        );
    }
}
