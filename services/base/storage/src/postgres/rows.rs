//! Loads and claims rows, and reserves public ids.

use std::time::Duration;

use innkeeper_kit::store::{Claim, Due, Row, StoreError};
use uuid::Uuid;

use super::connections::{Connections, QueryError};

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "rows.correlation_id, id, version, state, clock, body::text, claim_owner, coalesce(claim_until > now(), false), created_at"
    };
}

/// Reserves the next public id.
pub async fn reserve_id(connections: &Connections) -> Result<i64, StoreError> {
    let rows = connections
        .query("SELECT nextval('public_ids')", &[])
        .await?;
    let row = rows.first().expect("a SELECT without FROM has one row");
    Ok(row.try_get(0).map_err(QueryError::from)?)
}

/// Loads the row of a saga.
pub async fn load(
    connections: &Connections,
    correlation_id: Uuid,
) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rows WHERE correlation_id = $1"
    );
    let rows = connections.query(SQL, &[&correlation_id]).await?;
    Ok(from_rows(&rows)?.pop())
}

/// Loads the row with a public id.
pub async fn load_by_id(connections: &Connections, id: i64) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rows WHERE id = $1");
    let rows = connections.query(SQL, &[&id]).await?;
    Ok(from_rows(&rows)?.pop())
}

/// Loads a page of rows by public id. Tombstones have none, so they never match.
pub async fn list(
    connections: &Connections,
    after: i64,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rows WHERE id > $1 ORDER BY id LIMIT $2"
    );
    let rows = connections.query(SQL, &[&after, &i64::from(limit)]).await?;
    Ok(from_rows(&rows)?)
}

/// Claims the oldest rows that are due and have no valid claim. Rows that another process is
/// claiming just now are skipped.
pub async fn claim_due(connections: &Connections, due: &Due) -> Result<Vec<Row>, StoreError> {
    const SQL: &str = concat!(
        "WITH due AS MATERIALIZED (
             SELECT correlation_id FROM rows
             WHERE state = $1 AND created_at <= now() - $2::bigint * interval '1 microsecond'
               AND (claim_until IS NULL OR claim_until <= now())
             ORDER BY created_at LIMIT $3
             FOR UPDATE SKIP LOCKED)
         UPDATE rows SET version = version + 1, claim_owner = $4, claim_until = now() + $5::bigint * interval '1 microsecond'
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

fn from_rows(rows: &[tokio_postgres::Row]) -> Result<Vec<Row>, QueryError> {
    rows.iter()
        .map(|row| from_columns(row).map_err(QueryError::from))
        .collect()
}

fn from_columns(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let owner: Option<Uuid> = row.try_get(6)?;
    let live = row.try_get(7)?;
    Ok(Row {
        correlation_id: row.try_get(0)?,
        id: row.try_get(1)?,
        version: row.try_get(2)?,
        state: row.try_get(3)?,
        clock: row.try_get(4)?,
        body: row.try_get(5)?,
        claim: owner.map(|owner| Claim { owner, live }),
        created_at: row.try_get(8)?,
    })
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
