use futures::future::join_all;
use innkeeper_kit::store::{KeyChange, Query, Store, StoreError};

use crate::given::{
    Refused, Write, assert_messages_of, event, full_write, new_uuid, row, save, stored_row,
    tombstone, write_of,
};
use crate::suite::Fixture;

pub async fn of_two_writers_at_one_version_one_wins_and_the_other_leaves_nothing(
    fixture: &dyn Fixture,
) {
    let store = fixture.open().await;
    for _ in 0..20 {
        let saga = stored_row(&*store).await;
        let id = store.load(saga).await.unwrap().unwrap().id.unwrap();
        let writes = [full_write(saga, id, 1), full_write(saga, id, 1)];
        assert_one_wins(fixture, &*store, &writes).await;
        assert_eq!(store.load(saga).await.unwrap().unwrap().version, 2);
    }
}

pub async fn of_two_inserts_of_a_row_one_wins_and_the_other_leaves_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for number in 0..20 {
        let saga = new_uuid();
        let (one, other) = (2 * number + 1, 2 * number + 2);
        let writes = [full_write(saga, one, 0), full_write(saga, other, 0)];
        assert_one_wins(fixture, &*store, &writes).await;
        assert_eq!(store.load(saga).await.unwrap().unwrap().version, 1);
    }
}

async fn assert_one_wins(fixture: &dyn Fixture, store: &dyn Store, writes: &[Write; 2]) {
    let outcomes = join_all(writes.iter().map(|write| save(&*store, write.clone()))).await;
    let won: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert!(won == [true, false] || won == [false, true], "{outcomes:?}");
    for (write, outcome) in writes.iter().zip(outcomes) {
        assert!(
            matches!(outcome, Ok(()) | Err(Refused::Conflict)),
            "{outcome:?}"
        );
        assert_messages_of(write, outcome.is_ok(), fixture, store).await;
    }
}

pub async fn an_update_of_a_row_that_is_not_there_conflicts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let write = full_write(saga, 1, 1);

    let outcome = save(&*store, write.clone()).await;

    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");
    assert_eq!(store.load(saga).await.unwrap(), None);
    assert_messages_of(&write, false, fixture, &*store).await;
}

pub async fn an_insert_against_a_tombstone_conflicts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    save(&*store, write_of(tombstone(saga))).await.unwrap();
    let write = full_write(saga, 1, 0);

    let outcome = save(&*store, write.clone()).await;

    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");
    assert_eq!(store.load(saga).await.unwrap().unwrap().id, None);
    assert_messages_of(&write, false, fixture, &*store).await;
}

pub async fn a_tombstone_against_a_row_conflicts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let write = Write {
        row: Some(tombstone(saga)),
        ..full_write(saga, 0, 0)
    };

    let outcome = save(&*store, write.clone()).await;

    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");
    assert_eq!(store.load(saga).await.unwrap().unwrap().id, Some(1));
    assert_messages_of(&write, false, fixture, &*store).await;
}

pub async fn a_failing_write_leaves_its_neighbours(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let taken = stored_row(&*store).await;
    let writes: Vec<Write> = (0..120)
        .map(|number| match number % 3 {
            0 => full_write(taken, 1, 7),
            _ => full_write(new_uuid(), 1_000 + number, 0),
        })
        .collect();

    let outcomes = join_all(writes.iter().map(|write| save(&*store, write.clone()))).await;

    for (number, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), number % 3 != 0, "{number}: {outcome:?}");
    }
    for (number, write) in writes.iter().enumerate().take(30) {
        assert_messages_of(write, number % 3 != 0, fixture, &*store).await;
    }
    assert_eq!(fixture.events(&*store).await.len(), 80);
    assert_eq!(store.list(Query::page(0, 1_000)).await.unwrap().len(), 81);
}

pub async fn a_write_that_the_database_refuses_leaves_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let mut write = full_write(saga, 1, 0);
    let again = write.events[0].clone();
    write.events.push(again);
    let neighbour = full_write(new_uuid(), 2, 0);

    let (outcome, neighbours) = futures::join!(
        save(&*store, write.clone()),
        save(&*store, neighbour.clone())
    );

    let refused = matches!(outcome, Err(Refused::Store(StoreError::Failed(_))));
    assert!(refused, "{outcome:?}");
    neighbours.unwrap();
    assert_eq!(store.load(saga).await.unwrap(), None);
    assert_messages_of(&write, false, fixture, &*store).await;
    assert_messages_of(&neighbour, true, fixture, &*store).await;
}

pub async fn of_several_reasons_duplicate_comes_before_key_taken_before_conflict(
    fixture: &dyn Fixture,
) {
    let store = fixture.open().await;
    let first = full_write(new_uuid(), 1, 0);
    save(&*store, first.clone()).await.unwrap();
    let mut again = Write {
        events: vec![event(new_uuid(), 1)],
        ..first.clone()
    };

    let outcome = save(&*store, again.clone()).await;
    assert!(matches!(outcome, Err(Refused::Duplicate)), "{outcome:?}");

    again.inbox = Some(new_uuid());
    let outcome = save(&*store, again.clone()).await;
    assert!(matches!(outcome, Err(Refused::KeyTaken)), "{outcome:?}");

    again.key = Some(KeyChange::Begin {
        key: "another".to_owned(),
        fingerprint: String::new(),
        correlation_id: new_uuid(),
    });
    let outcome = save(&*store, again.clone()).await;
    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");

    again.row = Some(row(new_uuid(), 2));
    save(&*store, again).await.unwrap();
}
