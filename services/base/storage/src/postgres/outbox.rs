//! Outbox, parked events, and the relay's lease.

use std::time::Duration;

use innkeeper_kit::store::{OutboxEvent, ParkedEvent, Refusal, StoreError};
use tokio_postgres::Row;
use uuid::Uuid;

use super::connections::{Connections, QueryError};
use super::messages::headers;
use super::rows::microseconds;

/// Loads events that wait to be published: sagas in the order of their ids, which begin with their
/// time, and the events of one saga by version.
pub async fn load_unpublished(
    connections: &Connections,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<OutboxEvent>, StoreError> {
    let sql = "
        SELECT id, aggregatetype, aggregateid, type, version, headers::text, payload::text FROM innkeeper.outbox
        WHERE published_at IS NULL AND aggregateid > $1
          AND aggregateid NOT IN (
              SELECT held.aggregateid FROM innkeeper.parked_events JOIN innkeeper.outbox AS held ON held.id = event_id
              WHERE held.published_at IS NULL)
        ORDER BY aggregateid, version, seq LIMIT $2";
    let after = after.unwrap_or_default();
    let rows = connections.query(sql, &[&after, &i64::from(limit)]).await?;
    rows.iter().map(event_from_columns).collect()
}

fn event_from_columns(row: &Row) -> Result<OutboxEvent, StoreError> {
    let read = || {
        Ok::<_, tokio_postgres::Error>(OutboxEvent {
            id: row.try_get(0)?,
            aggregate_type: row.try_get(1)?,
            aggregate_id: row.try_get(2)?,
            event_type: row.try_get(3)?,
            version: row.try_get(4)?,
            headers: Vec::new(),
            payload: row.try_get(6)?,
            event: None,
        })
    };
    let mut event = read().map_err(QueryError::from)?;
    event.headers = headers(row, 5)?;
    Ok(event)
}

pub async fn delete(connections: &Connections, ids: &[Uuid]) -> Result<(), StoreError> {
    let sql = "DELETE FROM innkeeper.outbox WHERE id = ANY ($1)";
    connections.query(sql, &[&ids]).await?;
    Ok(())
}

/// Parks events that are still in the outbox.
pub async fn park(connections: &Connections, refusals: &[Refusal]) -> Result<(), StoreError> {
    let sql = "
        INSERT INTO innkeeper.parked_events (event_id, reason)
        SELECT id, refusal.reason
        FROM unnest($1::uuid[], $2::text[]) AS refusal (event_id, reason)
        JOIN innkeeper.outbox ON outbox.id = refusal.event_id AND published_at IS NULL
        ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason";
    let ids: Vec<Uuid> = refusals.iter().map(|refusal| refusal.event_id).collect();
    let reasons: Vec<&str> = refusals.iter().map(|refusal| &*refusal.reason).collect();
    connections.query(sql, &[&ids, &reasons]).await?;
    Ok(())
}

/// Loads parked events, oldest first.
pub async fn list_parked(
    connections: &Connections,
    limit: u32,
) -> Result<Vec<ParkedEvent>, StoreError> {
    let sql = "
        SELECT id, aggregatetype, aggregateid, type, version, headers::text, payload::text, reason, parked_at
        FROM innkeeper.parked_events JOIN innkeeper.outbox ON outbox.id = event_id
        WHERE published_at IS NULL ORDER BY parked_at, seq LIMIT $1";
    let rows = connections.query(sql, &[&i64::from(limit)]).await?;
    rows.iter().map(parked_from_columns).collect()
}

fn parked_from_columns(row: &Row) -> Result<ParkedEvent, StoreError> {
    Ok(ParkedEvent {
        event: event_from_columns(row)?,
        reason: row.try_get(7).map_err(QueryError::from)?,
        parked_at: row.try_get(8).map_err(QueryError::from)?,
    })
}

pub async fn count_parked(connections: &Connections) -> Result<u64, StoreError> {
    let sql = "
        SELECT count(*) FROM innkeeper.parked_events JOIN innkeeper.outbox ON outbox.id = event_id
        WHERE published_at IS NULL";
    let rows = connections.query(sql, &[]).await?;
    let row = rows.first().expect("an aggregate has one row");
    let count: i64 = row.try_get(0).map_err(QueryError::from)?;
    Ok(count.unsigned_abs())
}

/// Ends the parking of an event; `false` if it is not parked.
pub async fn unpark(connections: &Connections, event_id: Uuid) -> Result<bool, StoreError> {
    let sql = "DELETE FROM innkeeper.parked_events WHERE event_id = $1 RETURNING 1";
    let unparked = connections.query(sql, &[&event_id]).await?;
    Ok(!unparked.is_empty())
}

/// Deletes a parked event; `false` if it is not parked.
pub async fn discard(connections: &Connections, event_id: Uuid) -> Result<bool, StoreError> {
    let sql = "
        WITH discarded AS (DELETE FROM innkeeper.parked_events WHERE event_id = $1 RETURNING event_id)
        DELETE FROM innkeeper.outbox USING discarded WHERE outbox.id = discarded.event_id RETURNING 1";
    let discarded = connections.query(sql, &[&event_id]).await?;
    Ok(!discarded.is_empty())
}

/// Takes or renews the lease on relaying; `false` while another process holds it.
pub async fn take_relay_lease(
    connections: &Connections,
    owner: Uuid,
    hold_for: Duration,
) -> Result<bool, StoreError> {
    let sql = "
        INSERT INTO innkeeper.lease (name, owner, until) VALUES ('relay', $1, now() + $2::bigint * interval '1 microsecond')
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE lease.owner = excluded.owner OR lease.until <= now()
        RETURNING 1";
    let taken = connections
        .query(sql, &[&owner, &microseconds(hold_for)])
        .await?;
    Ok(!taken.is_empty())
}

/// Gives the lease back if this owner holds it.
pub async fn release_relay_lease(connections: &Connections, owner: Uuid) -> Result<(), StoreError> {
    let sql = "DELETE FROM innkeeper.lease WHERE name = 'relay' AND owner = $1";
    connections.query(sql, &[&owner]).await?;
    Ok(())
}
