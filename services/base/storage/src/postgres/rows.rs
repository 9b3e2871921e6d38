//! Loads and claims rows.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use innkeeper_kit::store::{Claim, Due, Parent, Query, Row, Scope, StoreError, TimeRange};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connections::{Connections, QueryError, Tables};

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "rows.correlation_id, saga_id, aggregate, id, version, state, clock, body::text, claim_owner,
         coalesce(claim_until > now(), false), created_at, owner, second_key, parent_id, range_from, range_until"
    };
}

/// A statement that tells the time as well, even if there are no rows: the columns of one row, with
/// the time behind them.
macro_rules! with_time {
    ($rows:expr) => {
        concat!(
            "SELECT loaded.*, now() FROM (SELECT) AS once LEFT JOIN LATERAL (",
            $rows,
            ") AS loaded ON true"
        )
    };
}

/// Position of the time in the rows of [`with_time`].
const TIME: usize = 16;

/// Loads a row by its key in the table.
pub async fn load(connections: &Connections, row_id: Uuid) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE correlation_id = $1"
    );
    let rows = connections.query(SQL, &[&row_id]).await?;
    Ok(from_rows(&rows)?.pop())
}

/// Loads the row with a public id.
pub async fn load_by_id(connections: &Connections, id: i64) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM innkeeper.rows WHERE id = $1");
    let rows = connections.query(SQL, &[&id]).await?;
    Ok(from_rows(&rows)?.pop())
}

/// Loads a page of rows by public id. Tombstones have none, so they never match.
pub async fn list(connections: &Connections, wanted: &Query) -> Result<Vec<Row>, StoreError> {
    const ALL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE id > $1 ORDER BY id LIMIT $2"
    );
    const OF_OWNER: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE owner = $3 AND id > $1 ORDER BY id LIMIT $2"
    );
    let limit = i64::from(wanted.limit);
    let rows = match &wanted.owner {
        None => connections.query(ALL, &[&wanted.after, &limit]).await?,
        Some(owner) => {
            let parameters: [&(dyn ToSql + Sync); 3] = [&wanted.after, &limit, owner];
            connections.query(OF_OWNER, &parameters).await?
        }
    };
    Ok(from_rows(&rows)?)
}

/// Loads the rows of a part of a scope, and tells the time.
pub async fn load_part(
    tables: &Tables<'_, impl GenericClient>,
    part: &Scope,
) -> Result<(Vec<Row>, Option<Timestamp>), QueryError> {
    const SAGA: &str = with_time!(concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE correlation_id = $1 UNION ALL SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE saga_id = $1"
    ));
    const ID: &str = with_time!(concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE id = $1"
    ));
    const SECOND_KEY: &str = with_time!(concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE second_key = $1 AND aggregate = $2"
    ));
    match part {
        Scope::Nothing | Scope::All(_) => Ok((Vec::new(), None)),
        Scope::Saga(saga) => with_time(&tables.query(SAGA, &[saga]).await?),
        Scope::Id(id) => with_time(&tables.query(ID, &[id]).await?),
        Scope::SecondKey { aggregate, key } => {
            with_time(&tables.query(SECOND_KEY, &[key, aggregate]).await?)
        }
        Scope::Parent { id, range } => load_locked(tables, *id, *range).await,
    }
}

/// Locks a parent row until the transaction ends, then loads the rows that take a part of it: what
/// another transaction has added meanwhile is seen by the second statement.
async fn load_locked(
    tables: &Tables<'_, impl GenericClient>,
    id: i64,
    range: Option<TimeRange>,
) -> Result<(Vec<Row>, Option<Timestamp>), QueryError> {
    const LOCK: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE id = $1 FOR UPDATE"
    );
    const CHILDREN: &str = with_time!(concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.rows WHERE parent_id = $1
          AND ($2::timestamptz IS NULL OR range_from IS NULL OR range_from < $3 AND range_until > $2)"
    ));
    let Some(parent) = from_rows(&tables.query(LOCK, &[&id]).await?)?.pop() else {
        return Ok((Vec::new(), None));
    };
    let (from, until) = (
        range.map(|range| range.from),
        range.map(|range| range.until),
    );
    let children = tables
        .query(CHILDREN, &[&parent.row_id, &from, &until])
        .await?;
    let (mut rows, now) = with_time(&children)?;
    rows.insert(0, parent);
    Ok((rows, now))
}

/// The next public id, and the time.
pub async fn draw_id(
    tables: &Tables<'_, impl GenericClient>,
) -> Result<(i64, Timestamp), QueryError> {
    let rows = tables
        .query("SELECT nextval('innkeeper.public_ids'), now()", &[])
        .await?;
    let row = rows.first().expect("a SELECT without FROM has one row");
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// The time of the transaction.
pub async fn fetch_time(tables: &Tables<'_, impl GenericClient>) -> Result<Timestamp, QueryError> {
    let rows = tables.query("SELECT now()", &[]).await?;
    let row = rows.first().expect("a SELECT without FROM has one row");
    Ok(row.try_get(0)?)
}

/// Claims the oldest rows that are due and have no valid claim. Rows that another process is
/// claiming just now are skipped.
pub async fn claim_due(connections: &Connections, due: &Due) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(
        "WITH due AS MATERIALIZED (
             SELECT correlation_id FROM innkeeper.rows
             WHERE state = $1 AND created_at <= now() - $2::bigint * interval '1 microsecond'
               AND (claim_until IS NULL OR claim_until <= now())
             ORDER BY created_at LIMIT $3
             FOR UPDATE SKIP LOCKED)
         UPDATE innkeeper.rows SET version = version + 1, claim_owner = $4, claim_until = now() + $5::bigint * interval '1 microsecond'
         FROM due WHERE rows.correlation_id = due.correlation_id
         RETURNING ",
        columns!()
    );
    let rows = connections
        .query(
            SQL,
            &[
                &due.state,
                &microseconds(due.age),
                &i64::from(due.limit),
                &due.owner,
                &microseconds(due.hold_for),
            ],
        )
        .await?;
    let mut claimed = from_rows(&rows)?;
    claimed.sort_by_key(|row| row.created_at);
    Ok(claimed)
}

/// Reads the answer of a statement that tells the time as well.
fn with_time(rows: &[tokio_postgres::Row]) -> Result<(Vec<Row>, Option<Timestamp>), QueryError> {
    let now = rows.first().map(|row| row.try_get(TIME)).transpose()?;
    let mut loaded = Vec::with_capacity(rows.len());
    for row in rows {
        let row_id: Option<Uuid> = row.try_get(0)?;
        if row_id.is_some() {
            loaded.push(from_columns(row)?);
        }
    }
    Ok((loaded, now))
}

fn from_rows(rows: &[tokio_postgres::Row]) -> Result<Vec<Row>, QueryError> {
    rows.iter()
        .map(|row| from_columns(row).map_err(QueryError::from))
        .collect()
}

fn from_columns(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let row_id = row.try_get(0)?;
    let saga_id: Option<Uuid> = row.try_get(1)?;
    let claim_owner: Option<Uuid> = row.try_get(8)?;
    let live = row.try_get(9)?;
    Ok(Row {
        row_id,
        correlation_id: saga_id.unwrap_or(row_id),
        aggregate: row.try_get(2)?,
        id: row.try_get(3)?,
        version: row.try_get(4)?,
        state: row.try_get(5)?,
        clock: row.try_get(6)?,
        body: row.try_get(7)?,
        claim: claim_owner.map(|owner| Claim { owner, live }),
        created_at: row.try_get(10)?,
        owner: row.try_get(11)?,
        second_key: row.try_get(12)?,
        parent: parent(row)?,
    })
}

fn parent(row: &tokio_postgres::Row) -> Result<Option<Parent>, tokio_postgres::Error> {
    let parent_id: Option<Uuid> = row.try_get(13)?;
    let from: Option<Timestamp> = row.try_get(14)?;
    let until: Option<Timestamp> = row.try_get(15)?;
    Ok(parent_id.map(|row_id| Parent {
        row_id,
        range: from
            .zip(until)
            .map(|(from, until)| TimeRange { from, until }),
    }))
}

/// The longest duration that is used: a thousand years, which can be added to and subtracted from
/// any instant of this millennium.
const LONGEST_MICROSECONDS: i64 = 1_000 * 365 * 24 * 3_600 * 1_000_000;

/// A duration in microseconds, as the statements take it.
pub fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros())
        .unwrap_or(LONGEST_MICROSECONDS)
        .min(LONGEST_MICROSECONDS)
}
