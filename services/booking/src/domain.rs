//! The rules of a booking: which states may follow which.

pub mod placement;
mod state;

use innkeeper_contracts::calls::BookingOutcome;
use innkeeper_contracts::{EventData, EventType};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::repository::{Decision, Stored};
use jiff::{SignedDuration, Timestamp};

pub use state::State;

/// The reason of a booking that nobody paid in time.
const UNPAID: &str = "it was not paid in time";

/// The reason of a booking that ended while its delivery was being completed.
const DELIVERED: &str = "it was delivered before its end was known";

/// The states on the way from the present state to the one that a client asks for; empty if they
/// are the same, `None` if the present state does not allow it. A client can only ask to cancel.
pub fn path(current: State, target: State) -> Option<&'static [State]> {
    match (current, target) {
        _ if current == target => Some(&[]),
        (State::Pending | State::Confirmed, State::Cancelled) => Some(&[State::Cancelled]),
        _ => None,
    }
}

/// Whenever a payment is voided or refunded or a fulfillment is cancelled, the booking is
/// cancelled, or expires if its time to pay ran out. Whenever a fulfillment completes, the booking
/// completes; one that has ended meanwhile stays ended and [says so](DELIVERED).
pub fn whenever(
    stored: &Stored<State>,
    event_type: EventType,
    data: &EventData,
) -> Decision<State> {
    let seen = data.clock;
    let Some(booking) = stored.entity() else {
        return Decision::Keep;
    };
    let is_alive = matches!(booking.state, State::Pending | State::Confirmed);
    match event_type {
        EventType::PAYMENT_VOIDED if is_alive && data.snapshot.unpaid => {
            Decision::Become(vec![Entity {
                reason: Some(UNPAID.to_owned()),
                ..booking.moved(State::Expired, seen)
            }])
        }
        EventType::PAYMENT_VOIDED
        | EventType::PAYMENT_REFUNDED
        | EventType::FULFILLMENT_CANCELLED
            if is_alive =>
        {
            Decision::Become(vec![booking.moved(State::Cancelled, seen)])
        }
        EventType::FULFILLMENT_COMPLETED => delivered(booking, seen),
        _ => Decision::Keep,
    }
}

/// What a completed fulfillment makes of a booking. Its payment was captured, so a booking that is
/// still pending is confirmed as well.
fn delivered(booking: &Entity<State>, seen: i64) -> Decision<State> {
    match booking.state {
        State::Pending => {
            Decision::Become(booking.walked(&[State::Confirmed, State::Completed], seen))
        }
        State::Confirmed => Decision::Become(vec![booking.moved(State::Completed, seen)]),
        State::Cancelled | State::Expired if !is_delivered_in_vain(booking) => {
            Decision::Become(vec![Entity {
                reason: Some(DELIVERED.to_owned()),
                ..booking.having_seen(seen)
            }])
        }
        State::Cancelled | State::Expired | State::Rejected | State::Completed => Decision::Keep,
    }
}

/// Whether a booking ended and was delivered all the same.
fn is_delivered_in_vain(booking: &Entity<State>) -> bool {
    booking.reason.as_deref() == Some(DELIVERED)
}

/// Whether a decision is that a booking ended and was delivered all the same.
pub fn notes_delivery_in_vain(decision: &Decision<State>) -> bool {
    match decision {
        Decision::Become(chain) => chain.last().is_some_and(is_delivered_in_vain),
        _ => false,
    }
}

/// What becomes of a booking, for a service that holds something for it. A pending booking that was
/// inserted at `created_at` is settled within `pending_timeout`.
pub fn outcome(
    stored: &Stored<State>,
    created_at: Timestamp,
    pending_timeout: SignedDuration,
) -> BookingOutcome {
    match stored {
        Stored::Absent => BookingOutcome::Unknown,
        Stored::Ended => BookingOutcome::Ended,
        Stored::Entity(booking) => match booking.state {
            State::Pending => BookingOutcome::Pending {
                until: created_at
                    .checked_add(pending_timeout)
                    .unwrap_or(Timestamp::MAX),
            },
            State::Confirmed | State::Completed => BookingOutcome::Confirmed,
            State::Rejected | State::Expired | State::Cancelled => BookingOutcome::Ended,
        },
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::Snapshot;
    use innkeeper_kit::State as _;
    use uuid::Uuid;

    use super::placement::placed;
    use super::*;

    fn booking(state: State) -> Entity<State> {
        Entity {
            state,
            version: 1,
            ..placed(1, Uuid::nil(), Snapshot::default(), Some("KRW"))
        }
    }

    /// The data of an event with this clock.
    fn at(clock: i64) -> EventData {
        EventData {
            id: 1,
            event: String::new(),
            status: String::new(),
            unlabelled: false,
            clock,
            snapshot: Snapshot::default(),
        }
    }

    #[test]
    fn the_commands_that_are_declared_are_those_of_the_table() {
        innkeeper_testkit::commands::assert_agree(&innkeeper_contracts::commands::BOOKING, path);
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
    fn the_end_of_a_payment_or_fulfillment_cancels_a_booking_that_is_alive() {
        for event_type in [
            EventType::PAYMENT_VOIDED,
            EventType::PAYMENT_REFUNDED,
            EventType::FULFILLMENT_CANCELLED,
        ] {
            for state in State::ALL.iter().copied() {
                let step = whenever(&Stored::Entity(booking(state)), event_type, &at(9));
                match state {
                    State::Pending | State::Confirmed => {
                        assert_eq!(
                            step,
                            Decision::Become(vec![booking(state).moved(State::Cancelled, 9)])
                        );
                    }
                    _ => assert_eq!(step, Decision::Keep, "{state:?}"),
                }
            }
        }
    }

    #[test]
    fn a_booking_that_nobody_paid_in_time_expires_and_says_why() {
        let mut unpaid = at(9);
        unpaid.snapshot.unpaid = true;
        let given = Stored::Entity(booking(State::Confirmed));
        let step = whenever(&given, EventType::PAYMENT_VOIDED, &unpaid);
        let Decision::Become(chain) = step else {
            panic!("{step:?}")
        };
        assert_eq!(chain[0].state, State::Expired);
        assert_eq!(chain[0].reason.as_deref(), Some(UNPAID));
        let ended = Stored::Entity(booking(State::Completed));
        let step = whenever(&ended, EventType::PAYMENT_VOIDED, &unpaid);
        assert_eq!(step, Decision::Keep);
    }

    fn after_delivery(state: State) -> Vec<State> {
        let given = Stored::Entity(booking(state));
        match whenever(&given, EventType::FULFILLMENT_COMPLETED, &at(9)) {
            Decision::Become(chain) => chain.iter().map(|booking| booking.state).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_completed_fulfillment_confirms_and_completes_its_booking() {
        let both = [State::Confirmed, State::Completed];
        assert_eq!(after_delivery(State::Pending), both);
        assert_eq!(after_delivery(State::Confirmed), [State::Completed]);
        assert_eq!(after_delivery(State::Completed), []);
    }

    #[test]
    fn a_booking_that_ended_before_it_was_delivered_stays_ended_and_says_so_once() {
        for state in [State::Cancelled, State::Expired] {
            let given = Stored::Entity(booking(state));
            let step = whenever(&given, EventType::FULFILLMENT_COMPLETED, &at(9));
            let Decision::Become(chain) = step else {
                panic!("{step:?}")
            };
            assert_eq!((chain.len(), chain[0].state), (1, state));
            assert!(is_delivered_in_vain(&chain[0]));
            let again = Stored::Entity(chain[0].clone());
            let step = whenever(&again, EventType::FULFILLMENT_COMPLETED, &at(9));
            assert_eq!(step, Decision::Keep);
        }
        assert_eq!(after_delivery(State::Rejected), []);
    }

    #[test]
    fn a_booking_is_pending_until_its_timeout_and_then_confirmed_or_ended() {
        let asked = |stored| {
            let timeout = SignedDuration::from_secs(60);
            outcome(&stored, Timestamp::UNIX_EPOCH, timeout)
        };
        for state in State::ALL.iter().copied() {
            let expected = match state {
                State::Pending => BookingOutcome::Pending {
                    until: Timestamp::from_second(60).unwrap(),
                },
                State::Confirmed | State::Completed => BookingOutcome::Confirmed,
                State::Rejected | State::Expired | State::Cancelled => BookingOutcome::Ended,
            };
            assert_eq!(asked(Stored::Entity(booking(state))), expected, "{state:?}");
        }
        assert_eq!(asked(Stored::Absent), BookingOutcome::Unknown);
    }

    #[test]
    fn a_saga_without_a_row_is_left_alone() {
        for stored in [Stored::Absent, Stored::Ended] {
            assert_eq!(
                whenever(&stored, EventType::PAYMENT_VOIDED, &at(9)),
                Decision::Keep
            );
        }
    }
}
