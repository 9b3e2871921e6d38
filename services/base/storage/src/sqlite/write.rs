//! Writes what a step has decided, within a savepoint of the writer.

use innkeeper_kit::store::{
    Changes, ClaimChange, KeyChange, OutboxEvent, RowChange, StoreError, contended,
};
use jiff::Timestamp;
use rusqlite::{Connection, named_params, params};
use uuid::Uuid;

use super::connection::{after, microseconds, store_error};
use super::dead_letters;

/// Writes everything. After an error the caller must roll the savepoint back.
pub fn run(
    connection: &Connection,
    changes: &Changes,
    inbox: Option<Uuid>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(event_id) = inbox {
        insert_inbox(connection, event_id, now).map_err(store_error)?;
        dead_letters::delete_of_event(connection, event_id).map_err(store_error)?;
    }
    if let Some(key) = &changes.key {
        write_key(connection, key, now)?;
    }
    for row in &changes.rows {
        write_row(connection, row, now)?;
    }
    for event in &changes.events {
        insert_event(connection, event, now).map_err(store_error)?;
    }
    if let Some(letter) = &changes.dead_letter {
        dead_letters::insert(connection, letter, now).map_err(store_error)?;
    }
    if let Some(id) = changes.discarded {
        dead_letters::delete(connection, id).map_err(store_error)?;
    }
    Ok(())
}

/// Headers as a column holds them.
pub fn headers_json(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are always JSON")
}

fn insert_inbox(connection: &Connection, event_id: Uuid, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO inbox VALUES (?1, ?2)")?
        .execute(params![event_id.as_bytes(), microseconds(now)])
        .map(drop)
}

fn write_key(connection: &Connection, key: &KeyChange, now: Timestamp) -> Result<(), StoreError> {
    match key {
        KeyChange::Begin {
            key,
            fingerprint,
            correlation_id,
        } => {
            let inserted = connection
                .prepare_cached(
                    "INSERT INTO idempotency_keys (key, fingerprint, correlation_id) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO NOTHING",
                )
                .and_then(|mut sql| {
                    sql.execute(params![key, fingerprint, correlation_id.as_bytes()])
                })
                .map_err(store_error)?;
            refuse_if_none(inserted)
        }
        KeyChange::Settle {
            correlation_id,
            answer,
        } => connection
            .prepare_cached(
                "UPDATE idempotency_keys SET answer_status = ?2, answer_location_id = ?3, answer_body = ?4, settled_at = ?5
                 WHERE correlation_id = ?1 AND settled_at IS NULL",
            )
            .and_then(|mut sql| {
                sql.execute(params![
                    correlation_id.as_bytes(),
                    answer.status,
                    answer.location_id,
                    answer.body,
                    microseconds(now)
                ])
            })
            .map(drop)
            .map_err(store_error),
    }
}

fn write_row(connection: &Connection, row: &RowChange, now: Timestamp) -> Result<(), StoreError> {
    let written = if row.seen_version == 0 {
        insert_row(connection, row, now)
    } else {
        update_row(connection, row, now)
    };
    refuse_if_none(written.map_err(store_error)?)
}

fn insert_row(connection: &Connection, row: &RowChange, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let saga_id = (row.correlation_id != row.row_id).then_some(row.correlation_id.as_bytes());
    let range = row.parent.as_ref().and_then(|parent| parent.range);
    let sql = "
        INSERT INTO rows (correlation_id, id, version, state, clock, body, claim_owner, claim_until, created_at,
            saga_id, aggregate, owner, second_key, parent_id, range_from, range_until)
        VALUES (:row_id, :id, 1, :state, :clock, :body, :claim_owner, :claim_until, :now,
            :saga_id, :aggregate, :owner, :second_key, :parent_id, :range_from, :range_until)
        ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":row_id": row.row_id.as_bytes(),
        ":id": row.id,
        ":state": row.state,
        ":clock": row.clock,
        ":body": row.body,
        ":claim_owner": owner,
        ":claim_until": until,
        ":now": microseconds(now),
        ":saga_id": saga_id,
        ":aggregate": row.aggregate,
        ":owner": row.owner,
        ":second_key": row.second_key,
        ":parent_id": row.parent.as_ref().map(|parent| parent.row_id.as_bytes()),
        ":range_from": range.map(|range| microseconds(range.from)),
        ":range_until": range.map(|range| microseconds(range.until)),
    })
}

fn update_row(connection: &Connection, row: &RowChange, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let sql = "
        UPDATE OR IGNORE rows SET id = :id, version = version + 1, state = :state, clock = :clock, body = :body,
            claim_owner = :claim_owner, claim_until = :claim_until, second_key = :second_key
        WHERE correlation_id = :row_id AND version = :seen_version";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":row_id": row.row_id.as_bytes(),
        ":seen_version": row.seen_version,
        ":id": row.id,
        ":state": row.state,
        ":clock": row.clock,
        ":body": row.body,
        ":claim_owner": owner,
        ":claim_until": until,
        ":second_key": row.second_key,
    })
}

fn claim_columns(claim: &ClaimChange, now: Timestamp) -> (Option<&[u8; 16]>, Option<i64>) {
    match claim {
        ClaimChange::Release => (None, None),
        ClaimChange::Take { owner, hold_for } => {
            (Some(owner.as_bytes()), Some(after(now, *hold_for)))
        }
    }
}

fn insert_event(
    connection: &Connection,
    event: &OutboxEvent,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, version, headers, payload, occurred_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        event.id.as_bytes(),
        event.aggregate_type,
        event.aggregate_id.as_bytes(),
        event.event_type,
        event.version,
        headers_json(&event.headers),
        event.payload,
        microseconds(now),
    ]);
    inserted.map(drop)
}

/// Refuses a change of something that is not as the decision has seen it. Deciding again would not
/// help: nobody else writes.
fn refuse_if_none(changed: usize) -> Result<(), StoreError> {
    if changed == 0 {
        return Err(contended());
    }
    Ok(())
}
