//! Loads rows.

use innkeeper_kit::store::{Claim, Parent, Query, Row, TimeRange};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, ToSql, named_params, params};
use uuid::Uuid;

use super::connection::{instant, microseconds};
use super::tables::Session;

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "correlation_id, saga_id, aggregate, id, version, state, clock, body, claim_owner, claim_until, created_at,
         owner, second_key, parent_id, range_from, range_until"
    };
}
pub(super) use columns;

/// Loads the highest public id, or 0.
pub fn load_last_id(session: Session<'_>) -> rusqlite::Result<i64> {
    let mut last = session.prepare("SELECT coalesce(max(id), 0) FROM {rows}")?;
    last.query_row([], |row| row.get(0))
}

/// Loads a row by its key in the table.
pub fn load(session: Session<'_>, row_id: Uuid, now: Timestamp) -> rusqlite::Result<Option<Row>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE correlation_id = ?1"
    );
    session
        .prepare(SQL)?
        .query_row([row_id.as_bytes()], |row| from_columns(row, now))
        .optional()
}

/// Loads the rows of a saga.
pub fn load_saga(session: Session<'_>, saga: Uuid, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    // Two searches, which are cheaper than one for either.
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE correlation_id = ?1 UNION ALL SELECT ",
        columns!(),
        " FROM {rows} WHERE saga_id = ?1"
    );
    if !session.tables.several_rows.is_possible() {
        return Ok(load(session, saga, now)?.into_iter().collect());
    }
    load_all(session, SQL, &[&saga.as_bytes()], now)
}

/// Loads the row with a public id.
pub fn load_by_id(session: Session<'_>, id: i64, now: Timestamp) -> rusqlite::Result<Option<Row>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM {rows} WHERE id = ?1");
    session
        .prepare(SQL)?
        .query_row([id], |row| from_columns(row, now))
        .optional()
}

/// Loads the row with a second key; there is one at most.
pub fn load_by_second_key(
    session: Session<'_>,
    aggregate: &str,
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<Row>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE second_key = ?1 AND aggregate = ?2"
    );
    load_all(session, SQL, &[&key, &aggregate], now)
}

/// Loads the rows that take a part of another, in a range.
pub fn load_children(
    session: Session<'_>,
    parent: Uuid,
    range: Option<TimeRange>,
    now: Timestamp,
) -> rusqlite::Result<Vec<Row>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE parent_id = :parent
          AND (:from IS NULL OR range_from IS NULL OR range_from < :until AND range_until > :from)"
    );
    session
        .prepare(SQL)?
        .query_map(
            named_params! {
                ":parent": parent.as_bytes(),
                ":from": range.map(|range| microseconds(range.from)),
                ":until": range.map(|range| microseconds(range.until)),
            },
            |row| from_columns(row, now),
        )?
        .collect()
}

/// Loads a page of rows by public id. Tombstones have none, so they never match.
pub fn list(session: Session<'_>, query: &Query, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    const ALL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE id > ?1 ORDER BY id LIMIT ?2"
    );
    const OF_OWNER: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM {rows} WHERE owner = ?3 AND id > ?1 ORDER BY id LIMIT ?2"
    );
    match &query.owner {
        None => load_all(session, ALL, &[&query.after, &query.limit], now),
        Some(owner) => {
            let parameters = params![query.after, query.limit, owner];
            load_all(session, OF_OWNER, parameters, now)
        }
    }
}

fn load_all(
    session: Session<'_>,
    sql: &'static str,
    parameters: &[&dyn ToSql],
    now: Timestamp,
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = session.prepare(sql)?;
    let mut found = statement.query(parameters)?;
    // A step mostly finds one.
    let mut rows = Vec::with_capacity(1);
    while let Some(row) = found.next()? {
        rows.push(from_columns(row, now)?);
    }
    Ok(rows)
}

/// Reads a row from its columns; `now` decides whether its claim is valid.
pub fn from_columns(row: &rusqlite::Row<'_>, now: Timestamp) -> rusqlite::Result<Row> {
    let row_id = Uuid::from_bytes(row.get(0)?);
    let claim_until: Option<i64> = row.get(9)?;
    Ok(Row {
        row_id,
        correlation_id: uuid(row, 1)?.unwrap_or(row_id),
        aggregate: row.get(2)?,
        id: row.get(3)?,
        version: row.get(4)?,
        state: row.get(5)?,
        clock: row.get(6)?,
        body: row.get(7)?,
        claim: uuid(row, 8)?.map(|owner| Claim {
            owner,
            live: claim_until.is_some_and(|until| until > microseconds(now)),
        }),
        created_at: instant(row.get(10)?),
        owner: row.get(11)?,
        second_key: row.get(12)?,
        parent: uuid(row, 13)?
            .map(|row_id| {
                Ok::<_, rusqlite::Error>(Parent {
                    row_id,
                    range: range(row)?,
                })
            })
            .transpose()?,
    })
}

fn uuid(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Uuid>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(Uuid::from_bytes))
}

fn range(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<TimeRange>> {
    let (from, until): (Option<i64>, Option<i64>) = (row.get(14)?, row.get(15)?);
    Ok(from.zip(until).map(|(from, until)| TimeRange {
        from: instant(from),
        until: instant(until),
    }))
}
