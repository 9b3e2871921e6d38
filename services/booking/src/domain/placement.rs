//! From a new booking to one that is settled, by what the participants of its placement answer.

use std::ops::ControlFlow;
use std::sync::Arc;

use innkeeper_contracts::{PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use uuid::Uuid;

use super::State;

/// What a participant answers about its part of a booking.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The clock of the saga there.
    pub clock: i64,
    /// What became of its part.
    pub part: Part,
}

/// What became of a participant's part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// It is done, and the saga has these public ids as well.
    Prepared(PublicIds),
    /// It is refused, for a reason.
    Refused(String),
    /// The saga has ended there, or is not known there.
    Unsettled,
}

/// A new booking, which is pending.
pub fn placed(
    id: i64,
    correlation_id: Uuid,
    wanted: Snapshot,
    currency: Option<&str>,
) -> Entity<State> {
    let snapshot = Snapshot {
        currency: currency.map(Arc::from),
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

/// A pending booking after the answer of a participant. It continues with the next participant if
/// this one is prepared. If this one refuses, it is rejected; otherwise it stays pending, for the
/// event of the saga's end there will settle it.
pub fn after(
    booking: &Entity<State>,
    answer: &Answer,
) -> ControlFlow<Entity<State>, Entity<State>> {
    match &answer.part {
        Part::Prepared(ids) => {
            let mut booking = booking.having_seen(answer.clock);
            booking.snapshot.ids = booking.snapshot.ids.and(*ids);
            ControlFlow::Continue(booking)
        }
        Part::Refused(reason) => ControlFlow::Break(Entity {
            reason: Some(reason.clone()),
            ..booking.moved(State::Rejected, answer.clock)
        }),
        Part::Unsettled => ControlFlow::Break(booking.having_seen(answer.clock)),
    }
}

/// What recovery makes of a pending booking whose client has given up. `asked` is what becomes of
/// it by what its participants say; `None` if one is unreachable or they were not asked. Only a
/// booking with an idempotency key may be confirmed, because its client can still ask for the
/// result.
pub fn recovered(
    booking: &Entity<State>,
    has_key: bool,
    asked: Option<Entity<State>>,
) -> Entity<State> {
    match asked {
        Some(asked) if has_key && asked.state == State::Confirmed => asked,
        asked => booking.moved(State::Expired, asked.map_or(0, |asked| asked.clock)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Entity<State> {
        placed(1, Uuid::nil(), Snapshot::default(), Some("KRW"))
    }

    fn answer(part: Part) -> Answer {
        Answer { clock: 5, part }
    }

    #[test]
    fn a_prepared_part_adds_its_ids_and_a_later_clock() {
        let ids = PublicIds {
            payment: Some(7),
            ..PublicIds::default()
        };
        let after = after(&pending(), &answer(Part::Prepared(ids)));
        let booking = after.continue_value().unwrap();
        assert_eq!((booking.state, booking.clock), (State::Pending, 5));
        let known = PublicIds {
            booking: Some(1),
            ..ids
        };
        assert_eq!(booking.snapshot.ids, known);
    }

    #[test]
    fn a_refused_part_rejects_the_booking_and_says_why() {
        let after = after(&pending(), &answer(Part::Refused("too dear".to_owned())));
        let booking = after.break_value().unwrap();
        assert_eq!((booking.state, booking.clock), (State::Rejected, 6));
        assert_eq!(booking.reason.as_deref(), Some("too dear"));
    }

    #[test]
    fn an_unsettled_part_leaves_the_booking_pending() {
        let after = after(&pending(), &answer(Part::Unsettled));
        let booking = after.break_value().unwrap();
        assert_eq!((booking.state, booking.clock), (State::Pending, 5));
    }

    #[test]
    fn recovery_confirms_only_what_has_a_key_and_all_parts() {
        let asked = |state| Some(pending().moved(state, 5));
        let recovered = |has_key, asked| recovered(&pending(), has_key, asked).state;
        assert_eq!(recovered(true, asked(State::Confirmed)), State::Confirmed);
        assert_eq!(recovered(false, asked(State::Confirmed)), State::Expired);
        for asked in [None, asked(State::Rejected), asked(State::Pending)] {
            assert_eq!(recovered(true, asked), State::Expired);
        }
    }
}
