//! The tables of the log's file, and every statement on them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use innkeeper_kit::log::{Content, NewRecord, Record};
use rusqlite::{Connection, OpenFlags, Row, Transaction, params};

use crate::embedded::{Bounds, PARTITION};

/// `low` has its own column, so that offsets do not restart at 0 once every record was pruned.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS log (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        topic TEXT NOT NULL,
        low INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS records (
        record_offset INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        key TEXT,
        headers TEXT NOT NULL,
        payload BLOB NOT NULL,
        appended_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS offsets (
        group_name TEXT PRIMARY KEY,
        next_offset INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Most records that one commit prunes, so that appends do not wait long.
pub const PRUNED_AT_ONCE: i64 = 10_000;

/// Opens the file for the writer, and creates its tables.
pub fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// Opens the file for reading only.
pub fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags)
}

/// Assigns the file to the topic if it is new; returns the topic that it belongs to.
pub fn claim_topic(connection: &Connection, topic: &str) -> rusqlite::Result<String> {
    connection.execute(
        "INSERT OR IGNORE INTO log (one, topic, low) VALUES (1, ?1, 0)",
        [topic],
    )?;
    connection.query_row("SELECT topic FROM log", [], |row| row.get(0))
}

/// Loads the bounds of the records in the file.
pub fn load_bounds(connection: &Connection) -> rusqlite::Result<Bounds> {
    let low = connection.query_row("SELECT low FROM log", [], |row| row.get(0))?;
    let newest = "SELECT max(record_offset) FROM records";
    let newest: Option<i64> = connection.query_row(newest, [], |row| row.get(0))?;
    Ok(Bounds {
        low,
        next: newest.map_or(low, |newest| newest + 1),
    })
}

/// Loads the offset at which each group continues.
pub fn load_offsets(connection: &Connection) -> rusqlite::Result<HashMap<String, i64>> {
    let mut statement = connection.prepare("SELECT group_name, next_offset FROM offsets")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Reads records from this offset on.
pub fn read(
    connection: &Connection,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Record>>> {
    let mut statement = connection.prepare_cached(
        "SELECT record_offset, key, headers, payload FROM records
         WHERE record_offset >= ?1 ORDER BY record_offset LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map([from, limit], record)?.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Arc<Record>> {
    let headers = row.get_ref("headers")?.as_bytes()?;
    Ok(Arc::new(Record {
        partition: PARTITION,
        offset: row.get("record_offset")?,
        key: row.get("key")?,
        content: Content::Encoded {
            headers: serde_json::from_slice(headers).unwrap_or_default(),
            payload: row.get("payload")?,
        },
    }))
}

/// Inserts a record unless its id exists already; returns whether it did.
pub fn insert(
    transaction: &Transaction<'_>,
    offset: i64,
    record: &NewRecord,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let headers = serde_json::to_string(&record.headers).expect("pairs of text are always JSON");
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO records (record_offset, id, key, headers, payload, appended_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let id = record.id.as_bytes();
    let inserted = statement.execute(params![
        offset,
        id,
        record.key,
        headers,
        record.payload,
        now_ms
    ])?;
    Ok(inserted == 1)
}

/// Saves the offset at which a group continues.
pub fn save_offset(transaction: &Transaction<'_>, group: &str, next: i64) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO offsets (group_name, next_offset) VALUES (?1, ?2)",
    )?;
    statement.execute(params![group, next])?;
    Ok(())
}

/// Deletes records that were appended before this instant, up to a limit; returns the offset of the
/// earliest record that is left.
pub fn prune(
    transaction: &Transaction<'_>,
    bounds: Bounds,
    cutoff_ms: i64,
) -> rusqlite::Result<i64> {
    let low = transaction.query_row(
        "SELECT coalesce(
             (SELECT record_offset FROM records WHERE appended_ms >= ?1 ORDER BY record_offset LIMIT 1), ?2)",
        [cutoff_ms, bounds.next],
        |row| row.get::<_, i64>(0),
    )?;
    let low = low.min(bounds.low + PRUNED_AT_ONCE);
    transaction.execute("DELETE FROM records WHERE record_offset < ?1", [low])?;
    transaction.execute("UPDATE log SET low = ?1", [low])?;
    Ok(low)
}
