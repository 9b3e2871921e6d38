use std::sync::Arc;

use futures::future::join_all;
use innkeeper_kit::store::{
    Changes, Parent, Query, RowChange, Scope, Seen, StepInput, StepOutcome, Store, StoreError,
    TimeRange,
};
use innkeeper_kit::{Failure, Principal, Rejection};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::given::{event, new_uuid, row, stored_row};
use crate::suite::Fixture;

const CAPACITY: usize = 3;

fn changes_of(rows: Vec<RowChange>) -> Changes {
    Changes {
        rows,
        ..Changes::default()
    }
}

/// The next version of a row that was seen.
fn next(seen: &Seen) -> RowChange {
    let stored = &seen.rows[0];
    RowChange {
        seen_version: stored.version,
        clock: stored.clock + 1,
        ..row(stored.row_id, stored.id.unwrap())
    }
}

/// A row of a saga that clients do not see.
fn part_of(saga: Uuid) -> RowChange {
    RowChange {
        row_id: new_uuid(),
        id: None,
        aggregate: "part",
        ..row(saga, 0)
    }
}

/// A day of 2026, from its first instant to that of the next.
fn day(number: i64) -> TimeRange {
    let start = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let day = |number: i64| start + SignedDuration::from_hours(24 * number);
    TimeRange {
        from: day(number),
        until: day(number + 1),
    }
}

pub async fn several_rows_of_a_saga_are_written_and_seen_together(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let written = [row(saga, 1), part_of(saga), part_of(saga)];
    let rows = written.to_vec();
    let input = StepInput::about(Scope::Saga(saga));
    let wrote = store.decide(input.clone(), move |_| Ok((changes_of(rows.clone()), ())));
    wrote.await.unwrap().done();

    let seen = store.decide(input, |seen| Ok((Changes::default(), seen.rows.clone())));
    let mut seen = seen.await.unwrap().done();

    let by_id = |id: &Uuid| written.iter().position(|row| row.row_id == *id);
    seen.sort_by_key(|row| by_id(&row.row_id));
    assert_eq!(seen.len(), 3);
    for (seen, written) in seen.iter().zip(&written) {
        assert_eq!(seen.row_id, written.row_id);
        assert_eq!(seen.correlation_id, saga);
        assert_eq!(seen.aggregate, written.aggregate);
        assert_eq!(seen.id, written.id);
    }
}

pub async fn of_two_rows_one_that_cannot_be_written_leaves_none(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let mut torn = part_of(saga);
    torn.seen_version = 7;
    let rows = vec![row(saga, 1), torn];

    let input = StepInput::about(Scope::Saga(saga));
    let outcome = store.decide(input, move |_| Ok((changes_of(rows.clone()), ())));

    let outcome = outcome.await;
    let refused = matches!(&outcome, Err(Failure::Store(StoreError::Unavailable(_))));
    assert!(refused, "{outcome:?}");
    assert_eq!(store.load(saga).await.unwrap(), None);
}

pub async fn a_decision_is_taken_anew_when_another_writer_was_faster(fixture: &dyn Fixture) {
    const WRITERS: usize = 16;
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let writers = (0..WRITERS).map(|_| {
        let input = StepInput::about(Scope::Saga(saga));
        store.decide(input, |seen| Ok((changes_of(vec![next(seen)]), ())))
    });

    for outcome in join_all(writers).await {
        outcome.unwrap().done();
    }

    let row = store.load(saga).await.unwrap().unwrap();
    let last = 1 + i64::try_from(WRITERS).unwrap();
    assert_eq!((row.version, row.clock), (last, last));
}

pub async fn a_refused_step_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let before = store.load(saga).await.unwrap();
    let event_id = new_uuid();
    let input = StepInput {
        inbox: Some(event_id),
        ..StepInput::about(Scope::Id(1))
    };

    let refused = store.decide(input, |seen: &Seen| -> Result<(Changes, ()), Failure> {
        assert_eq!(seen.rows.len(), 1);
        Err(Rejection::NotFound.into())
    });

    let refused = refused.await;
    let is_refused = matches!(&refused, Err(Failure::Rejected(Rejection::NotFound)));
    assert!(is_refused, "{refused:?}");
    assert_eq!(store.load(saga).await.unwrap(), before);
    assert!(store.load_seen(vec![event_id]).await.unwrap().is_empty());
}

pub async fn a_step_that_changes_nothing_does_not_record_its_event(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let event_id = new_uuid();
    let input = StepInput {
        inbox: Some(event_id),
        ..StepInput::about(Scope::Saga(new_uuid()))
    };

    for _ in 0..2 {
        let kept = store.decide(input.clone(), |_| Ok((Changes::default(), ())));
        assert_eq!(kept.await.unwrap(), StepOutcome::Done(()));
    }

    assert!(store.load_seen(vec![event_id]).await.unwrap().is_empty());
}

pub async fn a_new_id_is_only_given_where_nothing_is_stored(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let new_id = async |scope, may_insert| {
        let input = StepInput {
            may_insert,
            ..StepInput::about(scope)
        };
        let seen = store.decide(input, |seen| Ok((Changes::default(), seen.new_id)));
        seen.await.unwrap().done()
    };

    assert_eq!(new_id(Scope::Saga(saga), true).await, None);
    assert_eq!(new_id(Scope::Saga(new_uuid()), false).await, None);
    assert!(new_id(Scope::Saga(new_uuid()), true).await > Some(1));
}

pub async fn of_64_writers_only_as_many_as_there_are_places_get_one(fixture: &dyn Fixture) {
    const WRITERS: usize = 64;
    let store = fixture.open().await;
    let item = stored_row(&*store).await;
    let writers = (0..WRITERS).map(|_| allocate(&store, item, Some(day(3))));

    let outcomes = join_all(writers).await;

    let got = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(got, CAPACITY, "{outcomes:?}");
    for outcome in outcomes {
        let sold_out = matches!(
            &outcome,
            Ok(()) | Err(Failure::Rejected(Rejection::Conflict(_)))
        );
        assert!(sold_out, "{outcome:?}");
    }
    assert_eq!(fixture.events(&*store).await.len(), CAPACITY);
    allocate(&store, item, Some(day(4))).await.unwrap();
    allocate(&store, item, Some(day(2))).await.unwrap();
    assert!(allocate(&store, item, None).await.is_err());
}

/// Takes a place of an item in a range, with an event, if one is left.
async fn allocate(
    store: &Arc<dyn Store>,
    item: Uuid,
    range: Option<TimeRange>,
) -> Result<(), Failure> {
    let saga = new_uuid();
    let input = StepInput::about(Scope::All(vec![
        Scope::Parent { id: 1, range },
        Scope::Saga(saga),
    ]));
    let allocated = store.decide(input, move |seen| {
        let parent = Parent {
            row_id: item,
            range,
        };
        let taken = seen.rows.iter().filter(|row| row.row_id != item);
        assert!(taken.clone().all(|row| row.aggregate == "allocation"));
        if taken.count() >= CAPACITY {
            return Err(Rejection::Conflict("sold out".to_owned()).into());
        }
        let allocation = RowChange {
            aggregate: "allocation",
            id: None,
            parent: Some(parent),
            ..row(saga, 0)
        };
        let mut changes = changes_of(vec![allocation]);
        changes.events.push(event(saga, 1));
        Ok((changes, ()))
    });
    allocated.await.map(StepOutcome::done)
}

pub async fn of_two_writers_with_one_second_key_the_later_sees_the_row(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for number in 0..20 {
        let with_key = |saga| {
            let key = format!("exchange {number}");
            let input = StepInput::about(Scope::SecondKey {
                aggregate: "part",
                key: key.clone(),
            });
            store.decide(input, move |seen| {
                let Some(known) = seen.rows.first() else {
                    let row = RowChange {
                        second_key: Some(key.clone()),
                        ..part_of(saga)
                    };
                    return Ok((changes_of(vec![row]), saga));
                };
                assert_eq!(known.second_key.as_ref(), Some(&key));
                Ok((Changes::default(), known.correlation_id))
            })
        };

        let (one, other) = futures::join!(with_key(new_uuid()), with_key(new_uuid()));

        assert_eq!(one.unwrap().done(), other.unwrap().done(), "one row");
    }
}

pub async fn a_second_key_that_is_taken_unseen_leaves_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let keyed = |aggregate, key: &str| {
        let row = RowChange {
            aggregate,
            second_key: Some(key.to_owned()),
            ..part_of(new_uuid())
        };
        let input = StepInput::about(Scope::Nothing);
        store.decide(input, move |_| Ok((changes_of(vec![row.clone()]), ())))
    };
    keyed("part", "a").await.unwrap().done();

    let taken = keyed("part", "a").await;

    let refused = matches!(&taken, Err(Failure::Store(StoreError::Unavailable(_))));
    assert!(refused, "{taken:?}");
    keyed("part", "b").await.unwrap().done();
    keyed("another", "a").await.unwrap().done();
}

pub async fn a_list_can_be_that_of_an_owner(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for (id, owner) in [
        (1, Some("kim")),
        (2, None),
        (3, Some("lee")),
        (4, Some("kim")),
    ] {
        let row = RowChange {
            owner: owner.map(ToOwned::to_owned),
            ..row(new_uuid(), id)
        };
        let input = StepInput::about(Scope::Nothing);
        let wrote = store.decide(input, move |_| Ok((changes_of(vec![row.clone()]), ())));
        wrote.await.unwrap().done();
    }
    let ids = async |after, owner: Option<&str>| {
        let query = Query {
            owner: owner.map(ToOwned::to_owned),
            ..Query::page(after, 10)
        };
        let rows = store.list(query).await.unwrap();
        rows.iter().filter_map(|row| row.id).collect::<Vec<_>>()
    };

    assert_eq!(ids(0, Some("kim")).await, [1, 4]);
    assert_eq!(ids(1, Some("kim")).await, [4]);
    assert!(ids(0, Some("choi")).await.is_empty());
    assert_eq!(ids(0, None).await, [1, 2, 3, 4]);
    assert_eq!(Principal::parse("kim").owner(), Some("kim"));
}
