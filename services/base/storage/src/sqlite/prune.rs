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
pub const STATEMENTS: [&str; 3] = [
    "DELETE FROM {inbox} WHERE event_id IN (SELECT event_id FROM {inbox} WHERE handled_at <= ?1 LIMIT ?2)",
    "DELETE FROM {idempotency_keys} WHERE key IN
         (SELECT key FROM {idempotency_keys} WHERE settled_at <= ?1 LIMIT ?2)",
    "DELETE FROM {rows} WHERE correlation_id IN
         (SELECT correlation_id FROM {rows} WHERE id IS NULL AND state = 'ended' AND created_at <= ?1 LIMIT ?2)",
];

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
