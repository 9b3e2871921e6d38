//! Runs a write as one statement.

use innkeeper_kit::store::{
    ClaimChange, DeadLetter, KeyWrite, OutboxEvent, RowWrite, Write, WriteError,
};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connections::{Connections, QueryError};
use super::rows::microseconds;

/// Makes a write durable. After an error nothing of it is stored.
pub async fn run(connections: &Connections, write: &Write) -> Result<(), WriteError> {
    let key = KeyColumns::of(write.key.as_ref());
    let row = write.row.as_ref().map(RowColumns::of).unwrap_or_default();
    let events = EventColumns::of(&write.events);
    let letter = write.dead_letter.as_ref();
    let letter = letter.map(LetterColumns::of).unwrap_or_default();
    let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(30);
    parameters.push(&write.inbox);
    parameters.extend(key.parameters());
    parameters.extend(row.parameters());
    parameters.extend(events.parameters());
    parameters.extend(letter.parameters());
    let sql = include_str!("write.sql");
    let written = connections.query(sql, &parameters).await;
    written.map(drop).map_err(write_error)
}

/// Maps the error codes that `write.sql` raises.
fn write_error(error: QueryError) -> WriteError {
    match error.sql_state().map(tokio_postgres::error::SqlState::code) {
        Some("IK001") => WriteError::Duplicate,
        Some("IK002") => WriteError::KeyTaken,
        Some("IK003") => WriteError::Conflict,
        _ => WriteError::Store(error.into()),
    }
}

#[derive(Default)]
struct KeyColumns<'a> {
    begin_key: Option<&'a str>,
    begin_fingerprint: Option<&'a str>,
    begin_saga: Option<Uuid>,
    settle_saga: Option<Uuid>,
    settle_status: Option<i32>,
    settle_location_id: Option<i64>,
    settle_body: Option<&'a str>,
}

impl<'a> KeyColumns<'a> {
    fn of(key: Option<&'a KeyWrite>) -> Self {
        match key {
            None => Self::default(),
            Some(KeyWrite::Begin {
                key,
                fingerprint,
                correlation_id,
            }) => Self {
                begin_key: Some(key),
                begin_fingerprint: Some(fingerprint),
                begin_saga: Some(*correlation_id),
                ..Self::default()
            },
            Some(KeyWrite::Settle {
                correlation_id,
                answer,
            }) => Self {
                settle_saga: Some(*correlation_id),
                settle_status: Some(answer.status.into()),
                settle_location_id: answer.location_id,
                settle_body: Some(&answer.body),
                ..Self::default()
            },
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.begin_key,
            &self.begin_fingerprint,
            &self.begin_saga,
            &self.settle_saga,
            &self.settle_status,
            &self.settle_location_id,
            &self.settle_body,
        ]
    }
}

#[derive(Default)]
struct RowColumns<'a> {
    correlation_id: Option<Uuid>,
    id: Option<i64>,
    expected_version: Option<i64>,
    state: Option<&'a str>,
    clock: Option<i64>,
    body: Option<&'a str>,
    claim_owner: Option<Uuid>,
    claim_microseconds: Option<i64>,
}

impl<'a> RowColumns<'a> {
    fn of(row: &'a RowWrite) -> Self {
        let (claim_owner, claim_microseconds) = match row.claim {
            ClaimChange::Release => (None, None),
            ClaimChange::Take { owner, hold_for } => (Some(owner), Some(microseconds(hold_for))),
        };
        Self {
            correlation_id: Some(row.correlation_id),
            id: row.id,
            expected_version: Some(row.expected_version),
            state: Some(&row.state),
            clock: Some(row.clock),
            body: Some(&row.body),
            claim_owner,
            claim_microseconds,
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.correlation_id,
            &self.id,
            &self.expected_version,
            &self.state,
            &self.clock,
            &self.body,
            &self.claim_owner,
            &self.claim_microseconds,
        ]
    }
}

/// The events, column by column.
struct EventColumns<'a> {
    ids: Vec<Uuid>,
    aggregate_types: Vec<&'a str>,
    aggregate_ids: Vec<Uuid>,
    types: Vec<&'a str>,
    versions: Vec<i64>,
    headers: Vec<String>,
    payloads: Vec<&'a str>,
}

impl<'a> EventColumns<'a> {
    fn of(events: &'a [OutboxEvent]) -> Self {
        Self {
            ids: events.iter().map(|event| event.id).collect(),
            aggregate_types: events.iter().map(|event| &*event.aggregate_type).collect(),
            aggregate_ids: events.iter().map(|event| event.aggregate_id).collect(),
            types: events.iter().map(|event| &*event.event_type).collect(),
            versions: events.iter().map(|event| event.version).collect(),
            headers: events.iter().map(|event| json(&event.headers)).collect(),
            payloads: events.iter().map(|event| &*event.payload).collect(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.ids,
            &self.aggregate_types,
            &self.aggregate_ids,
            &self.types,
            &self.versions,
            &self.headers,
            &self.payloads,
        ]
    }
}

#[derive(Default)]
struct LetterColumns<'a> {
    topic: Option<&'a str>,
    partition: Option<i32>,
    offset: Option<i64>,
    key: Option<&'a str>,
    headers: Option<String>,
    payload: Option<&'a [u8]>,
    error: Option<&'a str>,
}

impl<'a> LetterColumns<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        Self {
            topic: Some(&letter.topic),
            partition: Some(letter.partition),
            offset: Some(letter.offset),
            key: letter.key.as_deref(),
            headers: Some(json(&letter.headers)),
            payload: Some(&letter.payload),
            error: Some(&letter.error),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.topic,
            &self.partition,
            &self.offset,
            &self.key,
            &self.headers,
            &self.payload,
            &self.error,
        ]
    }
}

fn json(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are always JSON")
}
