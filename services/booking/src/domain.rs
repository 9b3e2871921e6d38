//! What a booking may become.

mod state;

use innkeeper_contracts::EventType;
use innkeeper_contracts::calls::{AuthorizeAnswer, AuthorizeOutcome};
use innkeeper_contracts::{PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::repository::{Step, Stored};
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

#[cfg(test)]
mod tests {
    use innkeeper_kit::State as _;

    use super::*;

    fn booking(state: State) -> Entity<State> {
        Entity {
            state,
            version: 1,
            ..placed(1, Uuid::nil(), Snapshot::default(), Some("KRW"))
        }
    }

    fn answer(outcome: AuthorizeOutcome) -> AuthorizeAnswer {
        AuthorizeAnswer { clock: 5, outcome }
    }

    fn authorized() -> AuthorizeAnswer {
        answer(AuthorizeOutcome::Authorized { id: 7 })
    }

    #[test]
    fn only_a_pending_or_confirmed_booking_can_be_cancelled() {
        for state in State::ALL.iter().copied() {
            let expected: Option<&[State]> = match state {
                State::Pending | State::Confirmed => Some(&[State::Cancelled]),
                State::Cancelled => Some(&[]),
                State::Rejected | State::Expired | State::Completed => None,
            };
            assert_eq!(path(state, State::Cancelled), expected, "{state:?}");
        }
    }

    #[test]
    fn a_label_that_is_no_command_is_only_accepted_where_it_is_the_state() {
        for target in State::ALL
            .iter()
            .copied()
            .filter(|state| *state != State::Cancelled)
        {
            for state in State::ALL.iter().copied() {
                let expected: Option<&[State]> = (state == target).then_some(&[]);
                assert_eq!(path(state, target), expected, "{state:?} to {target:?}");
            }
        }
    }

    #[test]
    fn an_authorized_booking_is_confirmed_with_the_payments_id_and_a_later_clock() {
        let confirmed = answered(&booking(State::Pending), &authorized()).unwrap();
        assert_eq!(confirmed.state, State::Confirmed);
        assert_eq!(
            confirmed.snapshot.ids,
            PublicIds {
                booking: Some(1),
                payment: Some(7),
                fulfillment: None
            }
        );
        assert_eq!(confirmed.clock, 6);
    }

    #[test]
    fn a_declined_booking_is_rejected_and_says_why() {
        let declined = answer(AuthorizeOutcome::Declined {
            id: 7,
            reason: "too dear".to_owned(),
        });
        let rejected = answered(&booking(State::Pending), &declined).unwrap();
        assert_eq!(
            (rejected.state, rejected.reason.as_deref()),
            (State::Rejected, Some("too dear"))
        );
    }

    #[test]
    fn an_answer_that_settles_nothing_leaves_the_booking() {
        for outcome in [AuthorizeOutcome::Ended, AuthorizeOutcome::Unknown] {
            assert_eq!(answered(&booking(State::Pending), &answer(outcome)), None);
        }
    }

    #[test]
    fn recovery_confirms_only_what_has_a_key_and_an_authorization() {
        let pending = booking(State::Pending);
        let unknown = answer(AuthorizeOutcome::Unknown);
        let ended = answer(AuthorizeOutcome::Ended);
        let declined = answer(AuthorizeOutcome::Declined {
            id: 7,
            reason: String::new(),
        });
        assert_eq!(
            recovered(&pending, true, Some(&authorized())).state,
            State::Confirmed
        );
        assert_eq!(
            recovered(&pending, false, Some(&authorized())).state,
            State::Expired
        );
        for answer in [None, Some(&unknown), Some(&ended), Some(&declined)] {
            assert_eq!(recovered(&pending, true, answer).state, State::Expired);
        }
    }

    #[test]
    fn the_end_of_a_payment_or_fulfillment_cancels_a_booking_that_is_alive() {
        use EventType::{FulfillmentCancelled, PaymentRefunded, PaymentVoided};
        for event_type in [PaymentVoided, PaymentRefunded, FulfillmentCancelled] {
            for state in State::ALL.iter().copied() {
                let step = whenever(&Stored::Entity(booking(state)), event_type, 9);
                match state {
                    State::Pending | State::Confirmed => {
                        assert_eq!(
                            step,
                            Step::Become(vec![booking(state).moved(State::Cancelled, 9)])
                        );
                    }
                    _ => assert_eq!(step, Step::Keep, "{state:?}"),
                }
            }
        }
    }

    #[test]
    fn a_completed_fulfillment_completes_a_confirmed_booking_only() {
        for state in State::ALL.iter().copied() {
            let step = whenever(
                &Stored::Entity(booking(state)),
                EventType::FulfillmentCompleted,
                9,
            );
            assert_eq!(step != Step::Keep, state == State::Confirmed, "{state:?}");
        }
    }

    #[test]
    fn a_saga_that_is_not_here_is_nobodys() {
        for stored in [Stored::Absent, Stored::Ended] {
            assert_eq!(whenever(&stored, EventType::PaymentVoided, 9), Step::Keep);
        }
    }
}
