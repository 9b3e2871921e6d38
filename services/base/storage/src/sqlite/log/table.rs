//! The tables of a log, and statements on them. Topic, bounds and offsets are loaded as from the
//! broker's file for a single service, which has the same columns for them.

use std::borrow::Cow;
use std::sync::Arc;

use innkeeper_broker::embedded::{Bounds, PARTITION};
use innkeeper_broker::sqlite::table::PRUNED_AT_ONCE;
use innkeeper_kit::log::{Content, NewRecord, Record};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row, ToSql, params};
use uuid::Uuid;

/// Instants are milliseconds since 1970. A key is the 16 bytes of a UUID, or any other text.
/// `common_headers` are JSON arrays of a name and a value each, or of a name and `null` where the
/// value is the record's own; those are in `header_values`, in order, as a JSON array in which
/// `null` stands for the key. `low` has its own column, so that offsets do not restart at 0 once
/// every record was pruned.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS log (
        one   INTEGER PRIMARY KEY CHECK (one = 1),
        topic TEXT NOT NULL,
        low   INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS common_headers (
        id      INTEGER PRIMARY KEY,
        headers TEXT NOT NULL UNIQUE
    );
    CREATE TABLE IF NOT EXISTS records (
        record_offset     INTEGER PRIMARY KEY,
        appended_ms       INTEGER NOT NULL,
        key               NOT NULL,
        common_headers_id INTEGER NOT NULL,
        header_values     TEXT NOT NULL,
        payload           BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS offsets (
        group_name  TEXT PRIMARY KEY,
        next_offset INTEGER NOT NULL,
        saved_ms    INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// Headers whose values are the same in many records.
const COMMON: [&str; 4] = ["ce_specversion", "ce_source", "ce_type", "content-type"];

/// Headers of records: the name, and the value where records have it in common.
pub type CommonHeaders = Vec<(Cow<'static, str>, Option<String>)>;

pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)
}

/// Reads records from this offset on.
pub fn read(
    connection: &Connection,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Record>>> {
    let sql = "
        SELECT record_offset, key, headers, header_values, payload
        FROM records LEFT JOIN common_headers ON id = common_headers_id
        WHERE record_offset >= ?1 ORDER BY record_offset LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([from, limit], record)?.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Arc<Record>> {
    let key = key(row.get_ref(1)?)?;
    // Headers that are damaged count as none.
    let common = serde_json::from_slice(row.get_ref(2)?.as_bytes_or_null()?.unwrap_or_default());
    let common: CommonHeaders = common.unwrap_or_default();
    let own = serde_json::from_slice(row.get_ref(3)?.as_bytes()?);
    let mut own = own
        .unwrap_or_else(|_| Vec::<Option<String>>::new())
        .into_iter();
    let headers = common.into_iter().filter_map(|(name, value)| {
        let value = value.or_else(|| Some(own.next()?.unwrap_or_else(|| key.clone())));
        Some((name, value?))
    });
    Ok(Arc::new(Record {
        partition: PARTITION,
        offset: row.get(0)?,
        content: Content::Encoded {
            headers: headers.collect(),
            payload: row.get_ref(4)?.as_bytes()?.to_vec(),
        },
        key: Some(key),
    }))
}

fn key(column: ValueRef<'_>) -> rusqlite::Result<String> {
    if let ValueRef::Blob(bytes) = column
        && let Ok(uuid) = Uuid::from_slice(bytes)
    {
        return Ok(uuid.to_string());
    }
    let text = column.as_str();
    text.map(ToOwned::to_owned)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))
}

/// What the headers of a record have in common with those of others.
pub fn common_headers(record: &NewRecord) -> CommonHeaders {
    let headers = record.headers.iter();
    let common =
        headers.map(|(name, value)| (name.clone(), is_common(name).then(|| value.clone())));
    common.collect()
}

/// Whether these are what the headers of a record have in common with those of others.
pub fn are_common(common: &CommonHeaders, record: &NewRecord) -> bool {
    let of_record = record.headers.iter();
    let of_record = of_record.map(|(name, value)| (name, is_common(name).then_some(value)));
    common
        .iter()
        .map(|(name, value)| (name, value.as_ref()))
        .eq(of_record)
}

fn is_common(name: &str) -> bool {
    COMMON.contains(&name)
}

/// Finds or inserts common headers, and returns their id.
pub fn common_headers_id(
    connection: &Connection,
    headers: &CommonHeaders,
) -> rusqlite::Result<i64> {
    let headers = serde_json::to_string(headers).expect("texts are always JSON");
    let insert = "INSERT OR IGNORE INTO common_headers (headers) VALUES (?1)";
    connection.prepare_cached(insert)?.execute([&headers])?;
    let select = "SELECT id FROM common_headers WHERE headers = ?1";
    let mut select = connection.prepare_cached(select)?;
    select.query_row([&headers], |row| row.get(0))
}

pub fn insert(
    connection: &Connection,
    offset: i64,
    record: &NewRecord,
    common_headers_id: i64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let own = record.headers.iter().filter(|(name, _)| !is_common(name));
    let own = own.map(|(_, value)| (*value != record.key).then_some(value));
    let values = serde_json::to_string(&own.collect::<Vec<_>>()).expect("texts are always JSON");
    let sql = "
        INSERT INTO records (record_offset, appended_ms, key, common_headers_id, header_values, payload)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let uuid = uuid(&record.key);
    let key: &dyn ToSql = match &uuid {
        Some(uuid) => &uuid.as_bytes(),
        None => &record.key,
    };
    let mut sql = connection.prepare_cached(sql)?;
    let inserted = sql.execute(params![
        offset,
        now_ms,
        key,
        common_headers_id,
        values,
        record.payload
    ]);
    inserted.map(drop)
}

/// The UUID that is written as this text, and never otherwise.
fn uuid(text: &str) -> Option<Uuid> {
    let mut buffer = Uuid::encode_buffer();
    let uuid = Uuid::try_parse(text).ok()?;
    (*uuid.hyphenated().encode_lower(&mut buffer) == *text).then_some(uuid)
}

/// Saves the offset at which a group continues.
pub fn save_offset(
    connection: &Connection,
    group: &str,
    next: i64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO offsets (group_name, next_offset, saved_ms) VALUES (?1, ?2, ?3)";
    let mut sql = connection.prepare_cached(sql)?;
    sql.execute(params![group, next, now_ms]).map(drop)
}

/// Notes that a group is in use, so that what it has not read is kept. A new one begins at `low`.
pub fn keep_group(
    connection: &Connection,
    group: &str,
    low: i64,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO offsets (group_name, next_offset, saved_ms) VALUES (?1, ?2, ?3)
        ON CONFLICT (group_name) DO UPDATE SET saved_ms = excluded.saved_ms";
    let mut sql = connection.prepare_cached(sql)?;
    sql.execute(params![group, low, now_ms]).map(drop)
}

/// Deletes records that were appended before an instant and that every group has read, up to a
/// limit; returns the offset of the earliest record that is left. Groups that were not in use since
/// that instant are not waited for.
pub fn prune(connection: &Connection, bounds: Bounds, cutoff_ms: i64) -> rusqlite::Result<i64> {
    let sql = "
        SELECT min(
            coalesce((SELECT record_offset FROM records WHERE appended_ms >= ?1 ORDER BY record_offset LIMIT 1), ?2),
            coalesce((SELECT min(next_offset) FROM offsets WHERE saved_ms >= ?1), ?2))";
    let parameters = [cutoff_ms, bounds.next];
    let low: i64 = connection.query_row(sql, parameters, |row| row.get(0))?;
    let low = low.clamp(bounds.low, bounds.low + PRUNED_AT_ONCE);
    connection.execute("DELETE FROM records WHERE record_offset < ?1", [low])?;
    connection.execute("UPDATE log SET low = ?1", [low])?;
    Ok(low)
}
