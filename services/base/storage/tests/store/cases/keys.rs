use futures::future::join_all;
use innkeeper_kit::store::{KeyChange, KeyRow, Query, Store};
use uuid::Uuid;

use crate::given::{
    Refused, Write, answer, assert_messages_of, begin_key, full_write, new_uuid, save, settle_key,
    stored_row, stored_row_with,
};
use crate::suite::Fixture;

async fn saga_with_key(store: &dyn Store) -> Uuid {
    stored_row_with(store, |saga| Some(begin_key(saga))).await
}

async fn settle(store: &dyn Store, saga: Uuid, status: u16) {
    let write = Write {
        key: Some(settle_key(saga, status)),
        ..Write::default()
    };
    save(store, write).await.unwrap();
}

fn expected_key(saga: Uuid, status: Option<u16>) -> KeyRow {
    KeyRow {
        key: format!("key of {saga}"),
        fingerprint: "fingerprint".to_owned(),
        correlation_id: saga,
        answer: status.map(answer),
    }
}

pub async fn settling_records_the_answer(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = saga_with_key(&*store).await;
    let pending = Some(expected_key(saga, None));
    assert_eq!(store.load_key_of(saga).await.unwrap(), pending);

    settle(&*store, saga, 201).await;

    let settled = Some(expected_key(saga, Some(201)));
    assert_eq!(store.load_key_of(saga).await.unwrap(), settled);
    assert_eq!(store.load_key_of(new_uuid()).await.unwrap(), None);
}

pub async fn a_settled_key_keeps_its_first_answer(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = saga_with_key(&*store).await;
    settle(&*store, saga, 201).await;

    settle(&*store, saga, 409).await;

    let settled = Some(expected_key(saga, Some(201)));
    assert_eq!(store.load_key_of(saga).await.unwrap(), settled);
}

pub async fn settling_a_saga_without_a_key_does_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (saga, other) = (stored_row(&*store).await, saga_with_key(&*store).await);

    settle(&*store, saga, 201).await;

    assert_eq!(store.load_key_of(saga).await.unwrap(), None);
    let untouched = Some(expected_key(other, None));
    assert_eq!(store.load_key_of(other).await.unwrap(), untouched);
}

pub async fn a_taken_key_refuses_the_write_without_effect(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let taken_by = saga_with_key(&*store).await;
    let saga = new_uuid();
    let mut write = full_write(saga, 9, 0);
    write.key = None;
    let refused = Write {
        key: Some(KeyChange::Begin {
            key: format!("key of {taken_by}"),
            fingerprint: "another".to_owned(),
            correlation_id: saga,
        }),
        ..write.clone()
    };

    let outcome = save(&*store, refused).await;

    assert!(matches!(outcome, Err(Refused::KeyTaken)), "{outcome:?}");
    assert_messages_of(&write, false, fixture, &*store).await;
    assert_eq!(store.load(saga).await.unwrap(), None);
    let untouched = Some(expected_key(taken_by, None));
    assert_eq!(store.load_key_of(taken_by).await.unwrap(), untouched);
}

pub async fn a_key_of_which_two_make_use_is_taken_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for number in 0..20 {
        let with_key = |id| {
            let saga = new_uuid();
            Write {
                key: Some(KeyChange::Begin {
                    key: number.to_string(),
                    fingerprint: String::new(),
                    correlation_id: saga,
                }),
                ..full_write(saga, id, 0)
            }
        };
        let writes = [with_key(2 * number + 1), with_key(2 * number + 2)];

        let outcomes = join_all(writes.iter().map(|write| save(&*store, write.clone()))).await;

        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = |outcome: &_| matches!(outcome, Err(Refused::KeyTaken));
        assert_eq!((won, outcomes.iter().filter(|o| lost(o)).count()), (1, 1));
    }
    assert_eq!(store.list(Query::page(0, 100)).await.unwrap().len(), 20);
}
