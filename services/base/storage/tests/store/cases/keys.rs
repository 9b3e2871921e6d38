use futures::future::join_all;
use innkeeper_kit::store::{KeyRow, KeyWrite, Store, Write, WriteError};
use uuid::Uuid;

use crate::given::{
    answer, assert_messages_of, begin_key, full_write, new_uuid, row, settle_key, stored_row,
};
use crate::suite::Fixture;

async fn story_with_key(store: &dyn Store) -> Uuid {
    let story = new_uuid();
    let id = store.reserve_id().await.unwrap();
    let write = Write {
        row: Some(row(story, id)),
        key: Some(begin_key(story)),
        ..Write::default()
    };
    store.write(write).await.unwrap();
    story
}

async fn settle(store: &dyn Store, story: Uuid, status: u16) {
    let write = Write {
        key: Some(settle_key(story, status)),
        ..Write::default()
    };
    store.write(write).await.unwrap();
}

fn expected_key(story: Uuid, status: Option<u16>) -> KeyRow {
    KeyRow {
        key: format!("key of {story}"),
        fingerprint: "fingerprint".to_owned(),
        correlation_id: story,
        answer: status.map(answer),
    }
}

pub async fn settling_records_the_answer(place: &dyn Fixture) {
    let store = place.open().await;
    let story = story_with_key(&*store).await;
    let pending = Some(expected_key(story, None));
    assert_eq!(store.load_key_of(story).await.unwrap(), pending);

    settle(&*store, story, 201).await;

    let settled = Some(expected_key(story, Some(201)));
    assert_eq!(store.load_key_of(story).await.unwrap(), settled);
    let key = format!("key of {story}");
    assert_eq!(store.load_key(&key).await.unwrap(), settled);
    assert_eq!(store.load_key("unknown").await.unwrap(), None);
}

pub async fn a_settled_key_keeps_its_first_answer(place: &dyn Fixture) {
    let store = place.open().await;
    let story = story_with_key(&*store).await;
    settle(&*store, story, 201).await;

    settle(&*store, story, 409).await;

    let settled = Some(expected_key(story, Some(201)));
    assert_eq!(store.load_key_of(story).await.unwrap(), settled);
}

pub async fn settling_a_story_without_a_key_does_nothing(place: &dyn Fixture) {
    let store = place.open().await;
    let (story, other) = (stored_row(&*store).await, story_with_key(&*store).await);

    settle(&*store, story, 201).await;

    assert_eq!(store.load_key_of(story).await.unwrap(), None);
    let untouched = Some(expected_key(other, None));
    assert_eq!(store.load_key_of(other).await.unwrap(), untouched);
}

pub async fn a_taken_key_refuses_the_write_without_effect(place: &dyn Fixture) {
    let store = place.open().await;
    let taken_by = story_with_key(&*store).await;
    let story = new_uuid();
    let mut write = full_write(story, 9, 0);
    write.key = None;
    let refused = Write {
        key: Some(KeyWrite::Begin {
            key: format!("key of {taken_by}"),
            fingerprint: "another".to_owned(),
            correlation_id: story,
        }),
        ..write.clone()
    };

    let outcome = store.write(refused).await;

    assert!(matches!(outcome, Err(WriteError::KeyTaken)), "{outcome:?}");
    assert_messages_of(&write, false, &*store).await;
    assert_eq!(store.load(story).await.unwrap(), None);
    let untouched = Some(expected_key(taken_by, None));
    assert_eq!(store.load_key_of(taken_by).await.unwrap(), untouched);
}

pub async fn a_key_of_which_two_make_use_is_taken_once(place: &dyn Fixture) {
    let store = place.open().await;
    for number in 0..20 {
        let with_key = |id| {
            let story = new_uuid();
            Write {
                key: Some(KeyWrite::Begin {
                    key: number.to_string(),
                    fingerprint: String::new(),
                    correlation_id: story,
                }),
                ..full_write(story, id, 0)
            }
        };
        let writes = [with_key(2 * number + 1), with_key(2 * number + 2)];

        let outcomes = join_all(writes.iter().map(|write| store.write(write.clone()))).await;

        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = |outcome: &_| matches!(outcome, Err(WriteError::KeyTaken));
        assert_eq!((won, outcomes.iter().filter(|o| lost(o)).count()), (1, 1));
    }
    assert_eq!(store.list(0, 100).await.unwrap().len(), 20);
}
