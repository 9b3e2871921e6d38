//! Rows, events and writes to begin with.

use std::time::Duration;

use innkeeper_kit::store::{
    ClaimChange, DeadLetter, Due, KeyWrite, OutboxEvent, RowWrite, Store, StoredAnswer, Write,
};
use uuid::Uuid;

pub const SECOND: Duration = Duration::from_secs(1);
pub const ALMOST_A_MINUTE: Duration = Duration::from_secs(59);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);

/// The id of a new saga, owner or event.
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// JSON that changes if a store parses its numbers, sorts its members or removes its spaces.
pub const DELICATE: &str =
    r#"{"z": 1.10, "carId": "7", "a": [true, -0, 1e400, 12345678901234567890123, "é"]}"#;

/// A row as it is first written.
pub fn row(saga: Uuid, id: i64) -> RowWrite {
    RowWrite {
        correlation_id: saga,
        id: Some(id),
        expected_version: 0,
        state: "pending".to_owned(),
        clock: 1,
        body: DELICATE.to_owned(),
        claim: ClaimChange::Release,
    }
}

/// The tombstone of a saga.
pub fn tombstone(saga: Uuid) -> RowWrite {
    RowWrite {
        id: None,
        state: "cancelled".to_owned(),
        ..row(saga, 0)
    }
}

/// An event of a saga.
pub fn event(saga: Uuid, version: i64) -> OutboxEvent {
    OutboxEvent {
        id: new_uuid(),
        aggregate_type: "booking".to_owned(),
        aggregate_id: saga,
        event_type: "dev.innkeeper.booking.confirmed.v1".to_owned(),
        version,
        headers: vec![
            ("ce_type".to_owned(), "dev.innkeeper.test".to_owned()),
            ("ce_id".to_owned(), "1".to_owned()),
        ],
        payload: DELICATE.to_owned(),
    }
}

/// A write of a row alone.
pub fn write_of(row: RowWrite) -> Write {
    Write {
        row: Some(row),
        ..Write::default()
    }
}

/// A write of a row at a version, with everything that can be written beside it.
pub fn full_write(saga: Uuid, id: i64, expected_version: i64) -> Write {
    Write {
        row: Some(RowWrite {
            expected_version,
            ..row(saga, id)
        }),
        events: vec![event(saga, expected_version + 1)],
        inbox: Some(new_uuid()),
        key: Some(begin_key(new_uuid())),
        dead_letter: Some(dead_letter(&new_uuid().to_string())),
    }
}

/// Takes a key of its own for a saga.
pub fn begin_key(saga: Uuid) -> KeyWrite {
    KeyWrite::Begin {
        key: format!("key of {saga}"),
        fingerprint: "fingerprint".to_owned(),
        correlation_id: saga,
    }
}

/// Answers the key of a saga.
pub fn settle_key(saga: Uuid, status: u16) -> KeyWrite {
    KeyWrite::Settle {
        correlation_id: saga,
        answer: answer(status),
    }
}

pub fn answer(status: u16) -> StoredAnswer {
    StoredAnswer {
        status,
        location_id: (status == 201).then_some(1),
        body: DELICATE.to_owned(),
    }
}

/// A record that cannot be handled, for a reason.
pub fn dead_letter(error: &str) -> DeadLetter {
    DeadLetter {
        topic: "rentcar".to_owned(),
        partition: 3,
        offset: 1 << 40,
        key: None,
        headers: vec![("twice".to_owned(), "1".to_owned()); 2],
        payload: vec![0, 159, 146, 150],
        error: error.to_owned(),
    }
}

/// What an owner claims: pending rows of any age, for a minute.
pub fn due(owner: Uuid) -> Due {
    Due {
        state: "pending".to_owned(),
        age: Duration::ZERO,
        owner,
        hold_for: MINUTE,
        limit: 10,
    }
}

/// Writes a row and returns its saga.
pub async fn stored_row(store: &dyn Store) -> Uuid {
    let saga = new_uuid();
    let id = store.reserve_id().await.unwrap();
    store.write(write_of(row(saga, id))).await.unwrap();
    saga
}

/// Writes events, and nothing else.
pub async fn stored_events(store: &dyn Store, events: &[OutboxEvent]) {
    let write = Write {
        events: events.to_vec(),
        ..Write::default()
    };
    store.write(write).await.unwrap();
}

/// Ids of what is not yet published.
pub async fn unpublished(store: &dyn Store) -> Vec<Uuid> {
    let events = store.load_unpublished(10_000).await.unwrap();
    events.iter().map(|event| event.id).collect()
}

/// Asserts that all messages of a write are there, or none of them.
pub async fn assert_messages_of(write: &Write, there: bool, store: &dyn Store) {
    let waiting = unpublished(store).await;
    for event in &write.events {
        assert_eq!(waiting.contains(&event.id), there, "event in the outbox");
    }
    if let Some(event_id) = write.inbox {
        let seen = store.load_seen(vec![event_id]).await.unwrap();
        assert_eq!(seen == [event_id], there, "event in the inbox");
    }
    if let Some(KeyWrite::Begin { key, .. }) = &write.key {
        let stored = store.load_key(key).await.unwrap();
        assert_eq!(stored.is_some(), there, "idempotency key");
    }
    if let Some(letter) = &write.dead_letter {
        let letters = store.list_dead_letters(10_000).await.unwrap();
        assert_eq!(letters.contains(letter), there, "dead letter");
    }
}
