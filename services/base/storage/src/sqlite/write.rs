//! Writes what a step has decided.

use innkeeper_kit::log::NewRecord;
use innkeeper_kit::store::{
    Changes, ClaimChange, KeyChange, OutboxEvent, Row, RowChange, StepOutcome, StoreError,
    contended,
};
use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::connection::{after, microseconds, store_error};
use super::dead_letters;
use super::headers;
use super::tables::Session;
use super::writer::Transaction;

/// Writes what was decided about the rows that were seen; nothing if the event of the inbox had its
/// effect before. After an error the caller must roll back.
pub fn run(
    transaction: &Transaction<'_>,
    session: Session<'_>,
    seen: &[Row],
    changes: Changes,
    inbox: Option<Uuid>,
) -> Result<StepOutcome, StoreError> {
    let now = transaction.now;
    if let Some(event_id) = inbox {
        if insert_inbox(session, event_id, now).map_err(store_error)? == 0 {
            return Ok(StepOutcome::Duplicate);
        }
        transaction.has_effects.set(true);
        dead_letters::delete_of_event(session, event_id).map_err(store_error)?;
    }
    if let Some(key) = &changes.key {
        write_key(session, key, now)?;
    }
    for row in &changes.rows {
        write_row(session, row, seen, now)?;
    }
    for event in changes.events {
        add_event(transaction, session, event).map_err(store_error)?;
    }
    if let Some(letter) = &changes.dead_letter {
        dead_letters::insert(session, letter, now).map_err(store_error)?;
    }
    if let Some(id) = changes.discarded {
        dead_letters::delete(session, id).map_err(store_error)?;
    }
    Ok(StepOutcome::Done(()))
}

/// Adds an event to the log if that is in the same file, and else to the outbox.
fn add_event(
    transaction: &Transaction<'_>,
    session: Session<'_>,
    mut event: OutboxEvent,
) -> rusqlite::Result<()> {
    match transaction.log {
        Some(log) => {
            let known = event.event.take();
            log.append(transaction.connection, NewRecord::from(event), known)
        }
        None => insert_event(session, &event, transaction.now),
    }
}

/// Adds an event to the inbox unless it is there, and returns how many entries that made.
fn insert_inbox(session: Session<'_>, event_id: Uuid, now: Timestamp) -> rusqlite::Result<usize> {
    session
        .prepare("INSERT INTO {inbox} VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![event_id.as_bytes(), microseconds(now)])
}

fn write_key(session: Session<'_>, key: &KeyChange, now: Timestamp) -> Result<(), StoreError> {
    match key {
        KeyChange::Begin {
            key,
            fingerprint,
            correlation_id,
        } => {
            let inserted = session.prepare(
                    "INSERT INTO {idempotency_keys} (key, fingerprint, correlation_id) VALUES (?1, ?2, ?3)
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
        } => session.prepare(
                "UPDATE {idempotency_keys} SET answer_status = ?2, answer_location_id = ?3, answer_body = ?4, settled_at = ?5
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

fn write_row(
    session: Session<'_>,
    row: &RowChange,
    seen: &[Row],
    now: Timestamp,
) -> Result<(), StoreError> {
    if row.seen_version == 0 {
        return refuse_if_none(insert_row(session, row, now).map_err(store_error)?);
    }
    refuse_if_none(update_row(session, row, now).map_err(store_error)?)?;
    let mut seen = seen.iter();
    let keeps_keys = |seen: &Row| seen.id == row.id && seen.second_key == row.second_key;
    if seen.any(|seen| seen.row_id == row.row_id && keeps_keys(seen)) {
        return Ok(());
    }
    refuse_if_none(update_keys(session, row).map_err(store_error)?)
}

fn insert_row(session: Session<'_>, row: &RowChange, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let saga_id = (row.correlation_id != row.row_id).then_some(row.correlation_id.as_bytes());
    let range = row.parent.as_ref().and_then(|parent| parent.range);
    if saga_id.is_some() {
        session.tables.several_rows.note();
    }
    let sql = "
        INSERT INTO {rows} (correlation_id, id, version, state, clock, body, claim_owner, claim_until, created_at,
            saga_id, aggregate, owner, second_key, parent_id, range_from, range_until)
        VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8,
            ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT DO NOTHING";
    session.prepare(sql)?.execute(params![
        row.row_id.as_bytes(),
        row.id,
        row.state,
        row.clock,
        row.body,
        owner,
        until,
        microseconds(now),
        saga_id,
        row.aggregate,
        row.owner,
        row.second_key,
        row.parent.as_ref().map(|parent| parent.row_id.as_bytes()),
        range.map(|range| microseconds(range.from)),
        range.map(|range| microseconds(range.until)),
    ])
}

fn update_row(session: Session<'_>, row: &RowChange, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let sql = "
        UPDATE {rows} SET version = version + 1, state = ?3, clock = ?4, body = ?5, claim_owner = ?6, claim_until = ?7
        WHERE correlation_id = ?1 AND version = ?2";
    session.prepare(sql)?.execute(params![
        row.row_id.as_bytes(),
        row.seen_version,
        row.state,
        row.clock,
        row.body,
        owner,
        until,
    ])
}

/// Changes the keys of a row, which are in indexes: an update that sets them writes those as well,
/// even to the same values.
fn update_keys(session: Session<'_>, row: &RowChange) -> rusqlite::Result<usize> {
    let sql = "UPDATE OR IGNORE {rows} SET id = ?2, second_key = ?3 WHERE correlation_id = ?1";
    let mut sql = session.prepare(sql)?;
    sql.execute(params![row.row_id.as_bytes(), row.id, row.second_key])
}

fn claim_columns(claim: &ClaimChange, now: Timestamp) -> (Option<&[u8; 16]>, Option<i64>) {
    match claim {
        ClaimChange::Release => (None, None),
        ClaimChange::Take { owner, hold_for } => {
            (Some(owner.as_bytes()), Some(after(now, *hold_for)))
        }
    }
}

fn insert_event(session: Session<'_>, event: &OutboxEvent, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO {outbox} (id, aggregatetype, aggregateid, type, version, headers, payload, occurred_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let inserted = session.prepare(sql)?.execute(params![
        event.id.as_bytes(),
        event.aggregate_type,
        event.aggregate_id.as_bytes(),
        event.event_type,
        event.version,
        headers::json(&event.headers),
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
