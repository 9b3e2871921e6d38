//! Loads inbox entries and idempotency keys.

use innkeeper_kit::log::Header;
use innkeeper_kit::store::{KeyRow, StoredAnswer};
use rusqlite::OptionalExtension;
use rusqlite::types::Type;
use uuid::Uuid;

use super::tables::Session;

/// Loads which of these events are in the inbox.
pub fn load_seen(session: Session<'_>, mut event_ids: Vec<Uuid>) -> rusqlite::Result<Vec<Uuid>> {
    let mut statement = session.prepare("SELECT 1 FROM {inbox} WHERE event_id = ?1")?;
    let mut failure = None;
    event_ids.retain(|id| {
        statement.exists([id.as_bytes()]).unwrap_or_else(|error| {
            failure = Some(error);
            false
        })
    });
    failure.map_or(Ok(event_ids), Err)
}

/// Loads an idempotency key.
pub fn load_key(session: Session<'_>, key: &str) -> rusqlite::Result<Option<KeyRow>> {
    let sql = "
        SELECT key, fingerprint, correlation_id, answer_status, answer_location_id, answer_body FROM {idempotency_keys}
        WHERE key = ?1";
    session
        .prepare(sql)?
        .query_row([key], key_from_columns)
        .optional()
}

/// Loads the idempotency key that began a saga.
pub fn load_key_of(session: Session<'_>, correlation_id: Uuid) -> rusqlite::Result<Option<KeyRow>> {
    let sql = "
        SELECT key, fingerprint, correlation_id, answer_status, answer_location_id, answer_body FROM {idempotency_keys}
        WHERE correlation_id = ?1";
    session
        .prepare(sql)?
        .query_row([correlation_id.as_bytes()], key_from_columns)
        .optional()
}

fn key_from_columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<KeyRow> {
    let status: Option<u16> = row.get(3)?;
    let location_id = row.get(4)?;
    let body: Option<String> = row.get(5)?;
    Ok(KeyRow {
        key: row.get(0)?,
        fingerprint: row.get(1)?,
        correlation_id: Uuid::from_bytes(row.get(2)?),
        answer: status.zip(body).map(|(status, body)| StoredAnswer {
            status,
            location_id,
            body,
        }),
    })
}

/// The headers in a column.
pub fn headers(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Vec<Header>> {
    let json: String = row.get(column)?;
    serde_json::from_str(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
