//! Loads and deletes outbox events, and parks those that the log refuses.

use innkeeper_kit::store::{OutboxEvent, ParkedEvent, Refusal};
use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::connection::{instant, microseconds};
use super::messages::headers;
use super::tables::Session;

/// Loads events that wait to be published: sagas in the order of their ids, which begin with their
/// time, and the events of one saga by version.
pub fn load_unpublished(
    session: Session<'_>,
    after: Option<Uuid>,
    limit: u32,
) -> rusqlite::Result<Vec<OutboxEvent>> {
    let sql = "
        SELECT id, aggregatetype, aggregateid, type, version, headers, payload FROM {outbox}
        WHERE published_at IS NULL AND aggregateid > ?1
          AND aggregateid NOT IN (
              SELECT held.aggregateid FROM {parked_events} JOIN {outbox} AS held ON held.id = event_id
              WHERE held.published_at IS NULL)
        ORDER BY aggregateid, version, seq LIMIT ?2";
    let after = after.unwrap_or_default();
    session
        .prepare(sql)?
        .query_map(params![after.as_bytes(), limit], event_from_columns)?
        .collect()
}

fn event_from_columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<OutboxEvent> {
    Ok(OutboxEvent {
        id: Uuid::from_bytes(row.get(0)?),
        aggregate_type: row.get(1)?,
        aggregate_id: Uuid::from_bytes(row.get(2)?),
        event_type: row.get(3)?,
        version: row.get(4)?,
        headers: headers(row, 5)?,
        payload: row.get(6)?,
        event: None,
    })
}

pub fn delete(session: Session<'_>, ids: &[Uuid]) -> rusqlite::Result<()> {
    let mut statement = session.prepare("DELETE FROM {outbox} WHERE id = ?1")?;
    for id in ids {
        statement.execute([id.as_bytes()])?;
    }
    Ok(())
}

/// Parks events that are still in the outbox.
pub fn park(session: Session<'_>, refusals: &[Refusal], now: Timestamp) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO {parked_events} (event_id, reason, parked_at)
        SELECT id, ?2, ?3 FROM {outbox} WHERE id = ?1 AND published_at IS NULL
        ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason";
    let mut statement = session.prepare(sql)?;
    for refusal in refusals {
        let id = refusal.event_id.as_bytes();
        statement.execute(params![id, refusal.reason, microseconds(now)])?;
    }
    Ok(())
}

/// Loads parked events, oldest first.
pub fn list_parked(session: Session<'_>, limit: u32) -> rusqlite::Result<Vec<ParkedEvent>> {
    let sql = "
        SELECT id, aggregatetype, aggregateid, type, version, headers, payload, reason, parked_at
        FROM {parked_events} JOIN {outbox} AS outbox ON outbox.id = event_id
        WHERE published_at IS NULL ORDER BY parked_at, seq LIMIT ?1";
    session
        .prepare(sql)?
        .query_map([limit], |row| {
            Ok(ParkedEvent {
                event: event_from_columns(row)?,
                reason: row.get(7)?,
                parked_at: instant(row.get(8)?),
            })
        })?
        .collect()
}

pub fn count_parked(session: Session<'_>) -> rusqlite::Result<u64> {
    let sql = "
        SELECT count(*) FROM {parked_events} JOIN {outbox} AS outbox ON outbox.id = event_id
        WHERE published_at IS NULL";
    let count: i64 = session.prepare(sql)?.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Ends the parking of an event; `false` if it is not parked.
pub fn unpark(session: Session<'_>, event_id: Uuid) -> rusqlite::Result<bool> {
    let unparked = session
        .prepare("DELETE FROM {parked_events} WHERE event_id = ?1")?
        .execute([event_id.as_bytes()])?;
    Ok(unparked == 1)
}

/// Deletes a parked event; `false` if it is not parked.
pub fn discard(session: Session<'_>, event_id: Uuid) -> rusqlite::Result<bool> {
    let is_parked = unpark(session, event_id)?;
    if is_parked {
        delete(session, &[event_id])?;
    }
    Ok(is_parked)
}
