//! Relay lease, inbox and idempotency keys.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use innkeeper_kit::log::Header;
use innkeeper_kit::store::{KeyRow, StoreError, StoredAnswer};
use tokio_postgres::Row;
use uuid::Uuid;

use super::connections::{Connections, QueryError, Tables};
use super::rows::microseconds;

/// How many rows one statement deletes at most.
const PRUNE_BATCH: i64 = 1_000;

/// Loads which of these events are in the inbox.
pub async fn load_seen(
    connections: &Connections,
    event_ids: &[Uuid],
) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT event_id FROM innkeeper.inbox WHERE event_id = ANY ($1)";
    let rows = connections.query(sql, &[&event_ids]).await?;
    let ids: Result<_, _> = rows.iter().map(|row| row.try_get(0)).collect();
    Ok(ids.map_err(QueryError::from)?)
}

/// Whether an event is in the inbox.
pub async fn has_seen(
    tables: &Tables<'_, impl GenericClient>,
    event_id: Uuid,
) -> Result<bool, QueryError> {
    let sql = "SELECT FROM innkeeper.inbox WHERE event_id = $1";
    Ok(!tables.query(sql, &[&event_id]).await?.is_empty())
}

/// Loads an idempotency key.
pub async fn load_key(
    tables: &Tables<'_, impl GenericClient>,
    key: &str,
) -> Result<Option<KeyRow>, QueryError> {
    let sql = "
        SELECT key, fingerprint, correlation_id, answer_status, answer_location_id, answer_body FROM innkeeper.idempotency_keys
        WHERE key = $1";
    let rows = tables.query(sql, &[&key]).await?;
    rows.first().map(key_from_columns).transpose()
}

/// Loads the idempotency key that began a saga.
pub async fn load_key_of(
    connections: &Connections,
    correlation_id: Uuid,
) -> Result<Option<KeyRow>, StoreError> {
    let sql = "
        SELECT key, fingerprint, correlation_id, answer_status, answer_location_id, answer_body FROM innkeeper.idempotency_keys
        WHERE correlation_id = $1";
    let rows = connections.query(sql, &[&correlation_id]).await?;
    Ok(rows.first().map(key_from_columns).transpose()?)
}

fn key_from_columns(row: &Row) -> Result<KeyRow, QueryError> {
    let status: Option<i32> = row.try_get(3)?;
    let status = status.and_then(|status| u16::try_from(status).ok());
    let body: Option<String> = row.try_get(5)?;
    let location_id = row.try_get(4)?;
    Ok(KeyRow {
        key: row.try_get(0)?,
        fingerprint: row.try_get(1)?,
        correlation_id: row.try_get(2)?,
        answer: status.zip(body).map(|(status, body)| StoredAnswer {
            status,
            location_id,
            body,
        }),
    })
}

/// The headers in a column.
pub fn headers(row: &Row, column: usize) -> Result<Vec<Header>, StoreError> {
    let json: &str = row.try_get(column).map_err(QueryError::from)?;
    serde_json::from_str(json).map_err(|error| StoreError::Failed(Box::new(error)))
}

/// Deletes what is no longer needed, in small batches so that no statement takes long.
pub async fn prune(connections: &Connections, age: Duration) -> Result<u64, StoreError> {
    // An earlier release marked what it had published.
    let leftovers = [
        "WITH old AS (SELECT seq FROM innkeeper.outbox
             WHERE published_at <= now() - $1::bigint * interval '1 microsecond' LIMIT $2)
         DELETE FROM innkeeper.outbox USING old WHERE outbox.seq = old.seq RETURNING 1",
        "WITH old AS (SELECT event_id FROM innkeeper.parked_events LEFT JOIN innkeeper.outbox ON outbox.id = event_id
             WHERE outbox.id IS NULL AND parked_at <= now() - $1::bigint * interval '1 microsecond' LIMIT $2)
         DELETE FROM innkeeper.parked_events USING old WHERE parked_events.event_id = old.event_id RETURNING 1",
    ];
    let statements = [
        "WITH old AS (SELECT event_id FROM innkeeper.inbox
             WHERE handled_at <= now() - $1::bigint * interval '1 microsecond' LIMIT $2)
         DELETE FROM innkeeper.inbox USING old WHERE inbox.event_id = old.event_id RETURNING 1",
        "WITH old AS (SELECT key FROM innkeeper.idempotency_keys
             WHERE settled_at <= now() - $1::bigint * interval '1 microsecond' LIMIT $2)
         DELETE FROM innkeeper.idempotency_keys USING old WHERE idempotency_keys.key = old.key RETURNING 1",
        "WITH old AS (SELECT correlation_id FROM innkeeper.rows
             WHERE id IS NULL AND state = 'ended' AND created_at <= now() - $1::bigint * interval '1 microsecond' LIMIT $2)
         DELETE FROM innkeeper.rows USING old WHERE rows.correlation_id = old.correlation_id RETURNING 1",
    ];
    let leftovers = leftovers.map(|sql| (sql, Duration::ZERO));
    let statements = statements.map(|sql| (sql, age));
    let mut deleted = 0;
    for (sql, age) in leftovers.into_iter().chain(statements) {
        deleted += delete_in_batches(connections, sql, age).await?;
    }
    Ok(deleted)
}

async fn delete_in_batches(
    connections: &Connections,
    sql: &str,
    age: Duration,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        let batch = connections
            .query(sql, &[&microseconds(age), &PRUNE_BATCH])
            .await?;
        if batch.is_empty() {
            return Ok(deleted);
        }
        deleted += batch.len() as u64;
    }
}
