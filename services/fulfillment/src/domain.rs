//! The rules of a fulfillment: which states may follow which.

mod state;

use innkeeper_contracts::settings::StartAs;
use innkeeper_contracts::{Event, EventType, PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::repository::{Decision, Stored};

pub use state::State;

/// The reason of a completed fulfillment whose booking ended all the same.
const IN_VAIN: &str = "its booking ended before the delivery was known";

/// The states on the way from the present state to the one that a client asks for; empty if they
/// are the same, `None` if the present state does not allow it. A fulfillment only goes forward.
pub fn path(current: State, target: State) -> Option<&'static [State]> {
    match (current, target) {
        _ if current == target => Some(&[]),
        (State::Scheduled, State::InProgress) => Some(&[State::InProgress]),
        (State::Scheduled, State::Completed) => Some(&[State::InProgress, State::Completed]),
        (State::InProgress, State::Completed) => Some(&[State::Completed]),
        (State::Scheduled | State::InProgress, State::Cancelled) => Some(&[State::Cancelled]),
        _ => None,
    }
}

/// Whenever a payment is captured, a fulfillment begins. Whenever the booking ends, its fulfillment
/// is cancelled. `id` is the public id of the fulfillment that may begin.
pub fn whenever(
    stored: &Stored<State>,
    start_as: StartAs,
    event: &Event,
    id: Option<i64>,
) -> Decision<State> {
    let seen = event.data.clock;
    match (stored, event.event_type) {
        (Stored::Absent, EventType::PAYMENT_CAPTURED) => id.map_or(Decision::Keep, |id| {
            Decision::Become(vec![begun(id, start_as, event)])
        }),
        (Stored::Absent, event_type) if event_type.ends_saga() => Decision::End(seen),
        (Stored::Entity(entity), event_type) if event_type.ends_saga() => {
            match path(entity.state, State::Cancelled) {
                // The reason says that it was in vain: the booking ended before it was delivered.
                None if entity.reason.is_none() => Decision::Become(vec![Entity {
                    reason: Some(IN_VAIN.to_owned()),
                    ..entity.having_seen(seen)
                }]),
                None | Some([]) => Decision::Keep,
                Some(path) => Decision::Become(entity.walked(path, seen)),
            }
        }
        (Stored::Absent | Stored::Ended | Stored::Entity(_), _) => Decision::Keep,
    }
}

fn begun(id: i64, start_as: StartAs, event: &Event) -> Entity<State> {
    let booking = &event.data.snapshot;
    let state = match start_as {
        StartAs::Scheduled => State::Scheduled,
        StartAs::InProgress => State::InProgress,
    };
    Entity {
        correlation_id: event.correlation_id,
        id,
        version: 0,
        clock: event.data.clock + 1,
        state,
        snapshot: Snapshot {
            ids: PublicIds {
                fulfillment: Some(id),
                ..booking.ids
            },
            ..booking.clone()
        },
        reason: None,
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::EventData;
    use innkeeper_contracts::event::EventSource;
    use innkeeper_kit::State as _;
    use uuid::Uuid;

    use super::*;

    fn event(event_type: EventType) -> Event {
        let source = EventSource {
            namespace: "default".to_owned(),
            platform: "rentcar".to_owned(),
            incarnation: 1,
            service: "pay".to_owned(),
        };
        let snapshot = Snapshot {
            customer: Some("kim".into()),
            ..Snapshot::default()
        };
        let data = EventData {
            id: 1,
            event: String::new(),
            status: String::new(),
            unlabelled: false,
            clock: 4,
            snapshot,
        };
        Event {
            id: Uuid::nil(),
            source,
            event_type,
            time: jiff::Timestamp::UNIX_EPOCH,
            correlation_id: Uuid::nil(),
            causation_id: None,
            sequence: 1,
            traceparent: None,
            data,
        }
    }

    fn fulfillment(state: State) -> Entity<State> {
        let begun = begun(2, StartAs::InProgress, &event(EventType::PAYMENT_CAPTURED));
        Entity {
            state,
            version: 1,
            ..begun
        }
    }

    fn reaction(stored: &Stored<State>, event_type: EventType) -> Decision<State> {
        whenever(stored, StartAs::InProgress, &event(event_type), Some(2))
    }

    #[test]
    fn the_commands_that_are_declared_are_those_of_the_table() {
        innkeeper_testkit::commands::assert_agree(
            &innkeeper_contracts::commands::FULFILLMENT,
            path,
        );
    }

    #[test]
    fn a_fulfillment_goes_forward_only() {
        use State::{Cancelled, Completed, InProgress, Scheduled};
        let allowed: [(State, State, &[State]); 5] = [
            (Scheduled, InProgress, &[InProgress]),
            (Scheduled, Completed, &[InProgress, Completed]),
            (InProgress, Completed, &[Completed]),
            (Scheduled, Cancelled, &[Cancelled]),
            (InProgress, Cancelled, &[Cancelled]),
        ];
        for from in State::ALL.iter().copied() {
            for to in State::ALL.iter().copied() {
                let expected = allowed
                    .iter()
                    .find(|(start, end, _)| (*start, *end) == (from, to));
                let expected = expected
                    .map(|(_, _, path)| *path)
                    .or((from == to).then_some(&[]));
                assert_eq!(path(from, to), expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn a_captured_payment_begins_a_fulfillment_once() {
        let Decision::Become(chain) = reaction(&Stored::Absent, EventType::PAYMENT_CAPTURED) else {
            panic!("nothing began")
        };
        assert_eq!(
            (chain[0].state, chain[0].id, chain[0].clock),
            (State::InProgress, 2, 5)
        );
        assert_eq!(chain[0].snapshot.ids.fulfillment, Some(2));
        let begun = Stored::Entity(fulfillment(State::InProgress));
        assert_eq!(
            reaction(&begun, EventType::PAYMENT_CAPTURED),
            Decision::Keep
        );
    }

    #[test]
    fn a_saga_that_ended_is_never_begun() {
        assert_eq!(
            reaction(&Stored::Absent, EventType::BOOKING_CANCELLED),
            Decision::End(4)
        );
        assert_eq!(
            reaction(&Stored::Ended, EventType::PAYMENT_CAPTURED),
            Decision::Keep
        );
    }

    #[test]
    fn the_end_of_a_booking_cancels_what_is_under_way() {
        for event_type in [
            EventType::BOOKING_CANCELLED,
            EventType::BOOKING_REJECTED,
            EventType::BOOKING_EXPIRED,
        ] {
            for state in State::ALL.iter().copied() {
                let step = reaction(&Stored::Entity(fulfillment(state)), event_type);
                let cancels = matches!(state, State::Scheduled | State::InProgress);
                let last = match step {
                    Decision::Become(mut chain) => chain.pop().map(|it| it.state),
                    _ => None,
                };
                let cancelled = last == Some(State::Cancelled);
                assert_eq!(cancelled, cancels, "{state:?}");
            }
        }
    }

    #[test]
    fn a_completed_fulfillment_stays_so_and_says_once_that_its_booking_ended() {
        let given = fulfillment(State::Completed);
        let step = reaction(&Stored::Entity(given.clone()), EventType::BOOKING_CANCELLED);
        let says = Entity {
            reason: Some(IN_VAIN.to_owned()),
            ..given
        };
        assert_eq!(step, Decision::Become(vec![says.clone()]));
        let again = reaction(&Stored::Entity(says), EventType::BOOKING_CANCELLED);
        assert_eq!(again, Decision::Keep);
    }
}
