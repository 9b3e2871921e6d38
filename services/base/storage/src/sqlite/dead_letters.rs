//! Loads and changes dead letters.

use innkeeper_kit::store::{
    DeadLetter, DeadLetterKind, DeadLetterQuery, FailedReplay, StoredDeadLetter,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::connection::{instant, microseconds};
use super::headers;
use super::messages::headers;
use super::tables::Session;

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "seq, occurred_at, id, kind, event_id, topic, record_partition, record_offset, record_key,
         headers, payload, error, tries"
    };
}

/// Loads a page of dead letters, oldest first.
pub fn list(
    session: Session<'_>,
    query: DeadLetterQuery,
) -> rusqlite::Result<Vec<StoredDeadLetter>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {dead_letters} WHERE seq > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY seq LIMIT ?3"
    );
    let kind = query.kind.map(DeadLetterKind::as_str);
    session
        .prepare(SQL)?
        .query_map(params![query.after, kind, query.limit], from_columns)?
        .collect()
}

/// Loads a dead letter.
pub fn load(session: Session<'_>, id: Uuid) -> rusqlite::Result<Option<StoredDeadLetter>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM {dead_letters} WHERE id = ?1");
    session
        .prepare(SQL)?
        .query_row([id.as_bytes()], from_columns)
        .optional()
}

/// Counts the dead letters of each kind.
pub fn count(session: Session<'_>) -> rusqlite::Result<Vec<(DeadLetterKind, u64)>> {
    let sql = "SELECT kind, count(*) FROM {dead_letters} GROUP BY kind";
    session
        .prepare(sql)?
        .query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok((kind(row, 0)?, count.unsigned_abs()))
        })?
        .collect()
}

/// Inserts a dead letter.
pub fn insert(session: Session<'_>, letter: &DeadLetter, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO {dead_letters} (topic, record_partition, record_offset, record_key, headers, payload, error,
            occurred_at, id, kind, event_id, tries)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (id) DO NOTHING";
    session.tables.dead_letters.note();
    let inserted = session.prepare(sql)?.execute(params![
        letter.topic,
        letter.partition,
        letter.offset,
        letter.key,
        headers::json(&letter.headers),
        letter.payload,
        letter.error,
        microseconds(now),
        letter.id.as_bytes(),
        letter.kind.as_str(),
        letter.event_id.as_ref().map(Uuid::as_bytes),
        letter.tries,
    ]);
    inserted.map(drop)
}

/// Notes that a dead letter was tried once more in vain.
pub fn keep(session: Session<'_>, replay: &FailedReplay) -> rusqlite::Result<()> {
    let sql = "UPDATE {dead_letters} SET kind = ?2, error = ?3, tries = tries + 1 WHERE id = ?1";
    let (id, kind) = (replay.id.as_bytes(), replay.kind.as_str());
    let mut sql = session.prepare(sql)?;
    sql.execute(params![id, kind, replay.error]).map(drop)
}

/// Deletes a dead letter.
pub fn delete(session: Session<'_>, id: Uuid) -> rusqlite::Result<()> {
    let mut sql = session.prepare("DELETE FROM {dead_letters} WHERE id = ?1")?;
    sql.execute([id.as_bytes()]).map(drop)
}

/// Deletes the dead letters of an event that has its effect.
pub fn delete_of_event(session: Session<'_>, event_id: Uuid) -> rusqlite::Result<()> {
    if !session.tables.dead_letters.is_possible() {
        return Ok(());
    }
    let mut sql = session.prepare("DELETE FROM {dead_letters} WHERE event_id = ?1")?;
    sql.execute([event_id.as_bytes()]).map(drop)
}

fn from_columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredDeadLetter> {
    let event_id: Option<[u8; 16]> = row.get(4)?;
    Ok(StoredDeadLetter {
        number: row.get(0)?,
        occurred_at: instant(row.get(1)?),
        letter: DeadLetter {
            id: Uuid::from_bytes(row.get(2)?),
            kind: kind(row, 3)?,
            event_id: event_id.map(Uuid::from_bytes),
            topic: row.get(5)?,
            partition: row.get(6)?,
            offset: row.get(7)?,
            key: row.get(8)?,
            headers: headers(row, 9)?,
            payload: row.get(10)?,
            error: row.get(11)?,
            tries: row.get(12)?,
        },
    })
}

fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<DeadLetterKind> {
    let name: String = row.get(column)?;
    Ok(DeadLetterKind::of_stored(&name))
}
