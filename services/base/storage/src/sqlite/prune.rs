//! Deletes what is no longer needed, in small batches so that no write waits long.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use super::connection::before;
use super::tables::Session;

/// How many rows one batch deletes at most.
pub const BATCH: u64 = 500;

/// The statements that delete what nobody needs, whatever its age; each takes the present instant
/// and a limit. An earlier release marked what it had published.
pub const LEFTOVERS: [&str; 2] = [
    "DELETE FROM {outbox} WHERE seq IN (SELECT seq FROM {outbox} WHERE published_at <= ?1 LIMIT ?2)",
    "DELETE FROM {parked_events} WHERE event_id IN
         (SELECT event_id FROM {parked_events} LEFT JOIN {outbox} AS outbox ON outbox.id = event_id
          WHERE outbox.id IS NULL AND parked_at <= ?1 LIMIT ?2)",
];

/// The statements that delete what is old; each takes an instant and a limit.
pub const STATEMENTS: [&str; 2] = [
    "DELETE FROM {idempotency_keys} WHERE key IN
         (SELECT key FROM {idempotency_keys} WHERE settled_at <= ?1 LIMIT ?2)",
    "DELETE FROM {rows} WHERE correlation_id IN
         (SELECT correlation_id FROM {rows} WHERE id IS NULL AND state = 'ended' AND created_at <= ?1 LIMIT ?2)",
];

/// Finds old inbox entries. There is no index by their age, which every effect would have to keep,
/// so that this is for a connection that only reads.
pub fn find_old_inbox(
    session: Session<'_>,
    age: Duration,
    now: Timestamp,
) -> rusqlite::Result<Vec<[u8; 16]>> {
    let sql = "SELECT event_id FROM {inbox} WHERE handled_at <= ?1 LIMIT ?2";
    let mut sql = session.prepare(sql)?;
    let found = sql.query_map(params![before(now, age), BATCH.cast_signed()], |row| {
        row.get(0)
    })?;
    found.collect()
}

/// Deletes inbox entries, and returns how many there were.
pub fn delete_inbox(session: Session<'_>, event_ids: &[[u8; 16]]) -> rusqlite::Result<u64> {
    let mut sql = session.prepare("DELETE FROM {inbox} WHERE event_id = ?1")?;
    let mut deleted = 0;
    for event_id in event_ids {
        deleted += sql.execute([event_id])? as u64;
    }
    Ok(deleted)
}

/// Runs one of the statements once, and returns how many rows it deleted.
pub fn delete_batch(
    session: Session<'_>,
    statement: &'static str,
    age: Duration,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let deleted = session
        .prepare(statement)?
        .execute(params![before(now, age), BATCH.cast_signed()])?;
    Ok(deleted as u64)
}
