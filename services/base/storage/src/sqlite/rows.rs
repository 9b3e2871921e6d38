//! Loads rows.

use innkeeper_kit::store::{Claim, Row};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::connection::{instant, microseconds};

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "correlation_id, id, version, state, clock, body, claim_owner, claim_until, created_at"
    };
}
pub(super) use columns;

/// Loads the highest public id, or 0.
pub fn load_last_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(id), 0) FROM rows", [], |row| {
        row.get(0)
    })
}

/// Loads the row of a saga.
pub fn load(
    connection: &Connection,
    correlation_id: Uuid,
    now: Timestamp,
) -> rusqlite::Result<Option<Row>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rows WHERE correlation_id = ?1"
    );
    connection
        .prepare_cached(SQL)?
        .query_row([correlation_id.as_bytes()], |row| from_columns(row, now))
        .optional()
}

/// Loads the row with a public id.
pub fn load_by_id(
    connection: &Connection,
    id: i64,
    now: Timestamp,
) -> rusqlite::Result<Option<Row>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rows WHERE id = ?1");
    connection
        .prepare_cached(SQL)?
        .query_row([id], |row| from_columns(row, now))
        .optional()
}

/// Loads a page of rows by public id. Tombstones have none, so they never match.
pub fn list(
    connection: &Connection,
    after: i64,
    limit: u32,
    now: Timestamp,
) -> rusqlite::Result<Vec<Row>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rows WHERE id > ?1 ORDER BY id LIMIT ?2"
    );
    connection
        .prepare_cached(SQL)?
        .query_map(params![after, limit], |row| from_columns(row, now))?
        .collect()
}

/// Reads a row from its columns; `now` decides whether its claim is valid.
pub fn from_columns(row: &rusqlite::Row<'_>, now: Timestamp) -> rusqlite::Result<Row> {
    let claim_owner: Option<[u8; 16]> = row.get(6)?;
    let claim_until: Option<i64> = row.get(7)?;
    Ok(Row {
        correlation_id: Uuid::from_bytes(row.get(0)?),
        id: row.get(1)?,
        version: row.get(2)?,
        state: row.get(3)?,
        clock: row.get(4)?,
        body: row.get(5)?,
        claim: claim_owner.map(|owner| Claim {
            owner: Uuid::from_bytes(owner),
            live: claim_until.is_some_and(|until| until > microseconds(now)),
        }),
        created_at: instant(row.get(8)?),
    })
}
