//! Writes what a step has decided, as one statement.

use deadpool_postgres::GenericClient;
use innkeeper_kit::log::Header;
use innkeeper_kit::store::{Changes, ClaimChange, DeadLetter, KeyChange, OutboxEvent, RowChange};
use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connections::{QueryError, Tables};
use super::rows::microseconds;

/// Why nothing was written.
#[derive(Debug)]
pub enum WriteError {
    /// A row or key is not as the decision has seen it.
    Conflict,
    /// The consumed event had its effect before.
    Duplicate,
    Query(QueryError),
}

/// Makes changes durable. After an error nothing of them is stored.
pub async fn run(
    tables: &Tables<'_, impl GenericClient>,
    changes: &Changes,
    inbox: Option<Uuid>,
) -> Result<(), WriteError> {
    let key = KeyColumns::of(changes.key.as_ref());
    let rows = RowColumns::of(&changes.rows);
    let events = EventColumns::of(&changes.events);
    let letter = changes.dead_letter.as_ref();
    let letter = letter.map(LetterColumns::of).unwrap_or_default();
    let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(42);
    parameters.push(&inbox);
    parameters.extend(key.parameters());
    parameters.extend(rows.parameters());
    parameters.extend(events.parameters());
    parameters.extend(letter.parameters());
    parameters.push(&changes.discarded);
    let written = tables.query(include_str!("write.sql"), &parameters).await;
    written.map(drop).map_err(write_error)
}

/// Maps the error codes that `write.sql` raises, and what says that another writer interfered.
fn write_error(error: QueryError) -> WriteError {
    match error.sql_state().map(SqlState::code) {
        Some("IK001") => WriteError::Duplicate,
        Some("IK002" | "IK003") => WriteError::Conflict,
        _ if error.is_second_key_taken() || error.is_deadlock() => WriteError::Conflict,
        _ => WriteError::Query(error),
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
    fn of(key: Option<&'a KeyChange>) -> Self {
        match key {
            None => Self::default(),
            Some(KeyChange::Begin {
                key,
                fingerprint,
                correlation_id,
            }) => Self {
                begin_key: Some(key),
                begin_fingerprint: Some(fingerprint),
                begin_saga: Some(*correlation_id),
                ..Self::default()
            },
            Some(KeyChange::Settle {
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

/// The rows, column by column.
struct RowColumns<'a> {
    row_ids: Vec<Uuid>,
    saga_ids: Vec<Option<Uuid>>,
    aggregates: Vec<&'a str>,
    ids: Vec<Option<i64>>,
    seen_versions: Vec<i64>,
    states: Vec<&'a str>,
    clocks: Vec<i64>,
    bodies: Vec<&'a str>,
    claim_owners: Vec<Option<Uuid>>,
    claim_microseconds: Vec<Option<i64>>,
    owners: Vec<Option<&'a str>>,
    second_keys: Vec<Option<&'a str>>,
    parent_ids: Vec<Option<Uuid>>,
    ranges_from: Vec<Option<Timestamp>>,
    ranges_until: Vec<Option<Timestamp>>,
}

impl<'a> RowColumns<'a> {
    fn of(rows: &'a [RowChange]) -> Self {
        let rows = rows.iter();
        let parents = rows.clone().map(|row| row.parent.as_ref());
        let ranges = parents.clone().map(|parent| parent?.range);
        let claims = rows.clone().map(|row| claim_columns(row.claim));
        Self {
            row_ids: rows.clone().map(|row| row.row_id).collect(),
            saga_ids: rows.clone().map(saga_id).collect(),
            aggregates: rows.clone().map(|row| row.aggregate).collect(),
            ids: rows.clone().map(|row| row.id).collect(),
            seen_versions: rows.clone().map(|row| row.seen_version).collect(),
            states: rows.clone().map(|row| &*row.state).collect(),
            clocks: rows.clone().map(|row| row.clock).collect(),
            bodies: rows.clone().map(|row| &*row.body).collect(),
            claim_owners: claims.clone().map(|(owner, _)| owner).collect(),
            claim_microseconds: claims.map(|(_, time)| time).collect(),
            owners: rows.clone().map(|row| row.owner.as_deref()).collect(),
            second_keys: rows.map(|row| row.second_key.as_deref()).collect(),
            parent_ids: parents.map(|parent| Some(parent?.row_id)).collect(),
            ranges_from: ranges.clone().map(|range| Some(range?.from)).collect(),
            ranges_until: ranges.map(|range| Some(range?.until)).collect(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 15] {
        [
            &self.row_ids,
            &self.saga_ids,
            &self.aggregates,
            &self.ids,
            &self.seen_versions,
            &self.states,
            &self.clocks,
            &self.bodies,
            &self.claim_owners,
            &self.claim_microseconds,
            &self.owners,
            &self.second_keys,
            &self.parent_ids,
            &self.ranges_from,
            &self.ranges_until,
        ]
    }
}

fn saga_id(row: &RowChange) -> Option<Uuid> {
    (row.correlation_id != row.row_id).then_some(row.correlation_id)
}

fn claim_columns(claim: ClaimChange) -> (Option<Uuid>, Option<i64>) {
    match claim {
        ClaimChange::Release => (None, None),
        ClaimChange::Take { owner, hold_for } => (Some(owner), Some(microseconds(hold_for))),
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
    id: Option<Uuid>,
    kind: Option<&'a str>,
    event_id: Option<Uuid>,
    tries: Option<i32>,
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
            id: Some(letter.id),
            kind: Some(letter.kind.as_str()),
            event_id: letter.event_id,
            tries: Some(i32::try_from(letter.tries).unwrap_or(i32::MAX)),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 11] {
        [
            &self.topic,
            &self.partition,
            &self.offset,
            &self.key,
            &self.headers,
            &self.payload,
            &self.error,
            &self.id,
            &self.kind,
            &self.event_id,
            &self.tries,
        ]
    }
}

fn json(headers: &[Header]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are always JSON")
}
