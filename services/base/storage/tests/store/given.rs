//! Rows, events and writes to begin with.

use std::time::Duration;

use innkeeper_kit::store::{
    Changes, ClaimChange, DeadLetter, DeadLetterKind, DeadLetterQuery, Due, ENDED, KeyChange,
    OutboxEvent, RowChange, Scope, Seen, StepInput, StepOutcome, Store, StoreError, StoredAnswer,
};
use innkeeper_kit::{Failure, Rejection};
use uuid::Uuid;

use crate::suite::Fixture;

pub const SECOND: Duration = Duration::from_secs(1);
pub const ALMOST_A_MINUTE: Duration = Duration::from_secs(59);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);

/// The kind of the rows.
pub const AGGREGATE: &str = "booking";

/// What a test writes in one step, if the row and the key are as it expects them.
#[derive(Clone, Debug, Default)]
pub struct Write {
    pub row: Option<RowChange>,
    pub events: Vec<OutboxEvent>,
    pub inbox: Option<Uuid>,
    pub key: Option<KeyChange>,
    pub dead_letter: Option<DeadLetter>,
    pub discarded: Option<Uuid>,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum Refused {
    /// The row has another version.
    Conflict,
    /// The event was handled before.
    Duplicate,
    /// The idempotency key is in use.
    KeyTaken,
    Store(StoreError),
}

/// Runs the step of a write.
pub async fn save(store: &dyn Store, write: Write) -> Result<(), Refused> {
    let scope = write.row.as_ref();
    let input = StepInput {
        key: match &write.key {
            Some(KeyChange::Begin { key, .. }) => Some(key.clone()),
            _ => None,
        },
        inbox: write.inbox,
        ..StepInput::about(scope.map_or(Scope::Nothing, |row| Scope::Saga(row.correlation_id)))
    };
    let decided = store.decide(input, move |seen| {
        let refusal = refusal(&write, seen);
        let changes = Changes {
            rows: write.row.clone().into_iter().collect(),
            events: write.events.clone(),
            key: write.key.clone(),
            dead_letter: write.dead_letter.clone(),
            discarded: write.discarded,
        };
        refusal.map_or(Ok((changes, ())), |refusal| Err(refusal.into()))
    });
    match decided.await {
        Ok(StepOutcome::Done(())) => Ok(()),
        Ok(StepOutcome::Duplicate) => Err(Refused::Duplicate),
        Err(Failure::Rejected(Rejection::InFlight { .. })) => Err(Refused::KeyTaken),
        Err(Failure::Rejected(_)) => Err(Refused::Conflict),
        Err(Failure::Store(error)) => Err(Refused::Store(error)),
    }
}

fn refusal(write: &Write, seen: &Seen) -> Option<Rejection> {
    if matches!(write.key, Some(KeyChange::Begin { .. })) && seen.key.is_some() {
        let retry_after_seconds = 1;
        return Some(Rejection::InFlight {
            retry_after_seconds,
        });
    }
    let row = write.row.as_ref()?;
    let mut rows = seen.rows.iter();
    let stored = rows.find(|stored| stored.row_id == row.row_id);
    let version = stored.map_or(0, |stored| stored.version);
    (version != row.seen_version).then(|| Rejection::Conflict("another version".to_owned()))
}

/// The id of a new saga, owner or event.
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// JSON that changes if a store parses its numbers, sorts its members or removes its spaces.
pub const DELICATE: &str =
    r#"{"z": 1.10, "carId": "7", "a": [true, -0, 1e400, 12345678901234567890123, "é"]}"#;

/// A row as it is first written.
pub fn row(saga: Uuid, id: i64) -> RowChange {
    RowChange {
        row_id: saga,
        correlation_id: saga,
        aggregate: AGGREGATE,
        id: Some(id),
        seen_version: 0,
        state: "pending".to_owned(),
        clock: 1,
        body: DELICATE.to_owned(),
        claim: ClaimChange::Release,
        owner: None,
        second_key: None,
        parent: None,
    }
}

/// The tombstone of a saga.
pub fn tombstone(saga: Uuid) -> RowChange {
    RowChange {
        id: None,
        state: ENDED.to_owned(),
        ..row(saga, 0)
    }
}

/// An event of a saga.
pub fn event(saga: Uuid, version: i64) -> OutboxEvent {
    let id = new_uuid();
    OutboxEvent {
        id,
        aggregate_type: "booking".to_owned(),
        aggregate_id: saga,
        event_type: "dev.innkeeper.booking.confirmed.v1".to_owned(),
        version,
        headers: vec![
            ("ce_type".into(), "dev.innkeeper.test".to_owned()),
            ("ce_id".into(), id.to_string()),
        ],
        payload: DELICATE.to_owned(),
        event: None,
    }
}

/// A write of a row alone.
pub fn write_of(row: RowChange) -> Write {
    Write {
        row: Some(row),
        ..Write::default()
    }
}

/// A write of a row at a version, with everything that can be written beside it.
pub fn full_write(saga: Uuid, id: i64, seen_version: i64) -> Write {
    Write {
        row: Some(RowChange {
            seen_version,
            ..row(saga, id)
        }),
        events: vec![event(saga, seen_version + 1)],
        inbox: Some(new_uuid()),
        key: Some(begin_key(new_uuid())),
        dead_letter: Some(dead_letter(&new_uuid().to_string())),
        discarded: None,
    }
}

/// Takes a key of its own for a saga.
pub fn begin_key(saga: Uuid) -> KeyChange {
    KeyChange::Begin {
        key: format!("key of {saga}"),
        fingerprint: "fingerprint".to_owned(),
        correlation_id: saga,
    }
}

/// Answers the key of a saga.
pub fn settle_key(saga: Uuid, status: u16) -> KeyChange {
    KeyChange::Settle {
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
        id: new_uuid(),
        kind: DeadLetterKind::Failed,
        event_id: Some(new_uuid()),
        tries: 7,
        topic: "rentcar".to_owned(),
        partition: 3,
        offset: 1 << 40,
        key: None,
        headers: vec![("twice".into(), "1".to_owned()); 2],
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

/// Writes a row with the next public id, and returns its saga.
pub async fn stored_row(store: &dyn Store) -> Uuid {
    stored_row_with(store, |_| None).await
}

/// Writes a row with the next public id and a change of a key, and returns its saga.
pub async fn stored_row_with(store: &dyn Store, key: fn(Uuid) -> Option<KeyChange>) -> Uuid {
    let saga = new_uuid();
    let input = StepInput {
        may_insert: true,
        ..StepInput::about(Scope::Saga(saga))
    };
    let decided = store.decide(input, move |seen| {
        let changes = Changes {
            rows: vec![row(saga, seen.new_id.unwrap())],
            key: key(saga),
            ..Changes::default()
        };
        Ok((changes, ()))
    });
    decided.await.unwrap().done();
    saga
}

/// Writes events, and nothing else.
pub async fn stored_events(store: &dyn Store, events: &[OutboxEvent]) {
    let wanted = Write {
        events: events.to_vec(),
        ..Write::default()
    };
    save(store, wanted).await.unwrap();
}

/// Ids of what is not yet published.
pub async fn unpublished(store: &dyn Store) -> Vec<Uuid> {
    let events = store.load_unpublished(None, 10_000).await.unwrap();
    events.iter().map(|event| event.id).collect()
}

/// Every dead letter, oldest first.
pub async fn dead_letters(store: &dyn Store) -> Vec<DeadLetter> {
    let query = DeadLetterQuery {
        kind: None,
        after: 0,
        limit: 10_000,
    };
    let stored = store.list_dead_letters(query).await.unwrap();
    stored.into_iter().map(|stored| stored.letter).collect()
}

/// Writes a dead letter, and returns it.
pub async fn stored_dead_letter(store: &dyn Store, error: &str) -> DeadLetter {
    let letter = dead_letter(error);
    let write = Write {
        dead_letter: Some(letter.clone()),
        ..Write::default()
    };
    save(store, write).await.unwrap();
    letter
}

/// Asserts that all messages of a write are there, or none of them.
pub async fn assert_messages_of(
    write: &Write,
    there: bool,
    fixture: &dyn Fixture,
    store: &dyn Store,
) {
    let events = fixture.events(store).await;
    for event in &write.events {
        assert_eq!(events.contains(&event.id), there, "event");
    }
    if let Some(event_id) = write.inbox {
        let seen = store.load_seen(vec![event_id]).await.unwrap();
        assert_eq!(seen == [event_id], there, "event in the inbox");
    }
    if let Some(KeyChange::Begin { correlation_id, .. }) = &write.key {
        let stored = store.load_key_of(*correlation_id).await.unwrap();
        assert_eq!(stored.is_some(), there, "idempotency key");
    }
    if let Some(letter) = &write.dead_letter {
        let letters = dead_letters(store).await;
        assert_eq!(letters.contains(letter), there, "dead letter");
    }
}
