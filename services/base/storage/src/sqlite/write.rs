//! Runs one write, within a savepoint of the writer.

use innkeeper_kit::store::{
    ClaimChange, DeadLetter, KeyWrite, OutboxEvent, RowWrite, Write, WriteError,
};
use jiff::Timestamp;
use rusqlite::{Connection, named_params, params};
use uuid::Uuid;

use super::connection::{after, microseconds, store_error};

/// A write whose headers are serialized already, so that the writer thread need not do it.
pub struct PreparedWrite {
    write: Write,
    event_headers: Vec<String>,
}

impl From<Write> for PreparedWrite {
    fn from(write: Write) -> Self {
        let event_headers = write
            .events
            .iter()
            .map(|event| headers_json(&event.headers))
            .collect();
        Self {
            write,
            event_headers,
        }
    }
}

impl PreparedWrite {
    /// Whether the write adds events to the outbox.
    pub fn has_events(&self) -> bool {
        !self.write.events.is_empty()
    }

    /// Writes everything. After an error the caller must roll the savepoint back.
    pub fn run(self, connection: &Connection, now: Timestamp) -> Result<(), WriteError> {
        let Self {
            write,
            event_headers,
        } = self;
        if let Some(event_id) = write.inbox {
            insert_inbox(connection, event_id, now)?;
        }
        if let Some(key) = &write.key {
            write_key(connection, key, now)?;
        }
        if let Some(row) = &write.row {
            write_row(connection, row, now)?;
        }
        for (event, headers) in write.events.iter().zip(&event_headers) {
            insert_event(connection, event, headers, now).map_err(store_error)?;
        }
        if let Some(letter) = &write.dead_letter {
            insert_dead_letter(connection, letter, now).map_err(store_error)?;
        }
        Ok(())
    }
}

fn headers_json(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are always JSON")
}

fn insert_inbox(connection: &Connection, event_id: Uuid, now: Timestamp) -> Result<(), WriteError> {
    let inserted = connection
        .prepare_cached("INSERT INTO inbox VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .and_then(|mut sql| sql.execute(params![event_id.as_bytes(), microseconds(now)]))
        .map_err(store_error)?;
    refuse_if_none(inserted, WriteError::Duplicate)
}

fn write_key(connection: &Connection, key: &KeyWrite, now: Timestamp) -> Result<(), WriteError> {
    match key {
        KeyWrite::Begin {
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
            refuse_if_none(inserted, WriteError::KeyTaken)
        }
        KeyWrite::Settle {
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
            .map_err(|error| store_error(error).into()),
    }
}

fn write_row(connection: &Connection, row: &RowWrite, now: Timestamp) -> Result<(), WriteError> {
    let written = if row.expected_version == 0 {
        insert_row(connection, row, now)
    } else {
        update_row(connection, row, now)
    };
    refuse_if_none(written.map_err(store_error)?, WriteError::Conflict)
}

fn insert_row(connection: &Connection, row: &RowWrite, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let sql = "
        INSERT INTO rows (correlation_id, id, version, state, clock, body, claim_owner, claim_until, created_at)
        VALUES (:correlation_id, :id, 1, :state, :clock, :body, :owner, :until, :now)
        ON CONFLICT (correlation_id) DO NOTHING";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":correlation_id": row.correlation_id.as_bytes(),
        ":id": row.id,
        ":state": row.state,
        ":clock": row.clock,
        ":body": row.body,
        ":owner": owner,
        ":until": until,
        ":now": microseconds(now),
    })
}

fn update_row(connection: &Connection, row: &RowWrite, now: Timestamp) -> rusqlite::Result<usize> {
    let (owner, until) = claim_columns(&row.claim, now);
    let sql = "
        UPDATE rows SET id = :id, version = version + 1, state = :state, clock = :clock, body = :body,
            claim_owner = :owner, claim_until = :until
        WHERE correlation_id = :correlation_id AND version = :expected_version";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":correlation_id": row.correlation_id.as_bytes(),
        ":expected_version": row.expected_version,
        ":id": row.id,
        ":state": row.state,
        ":clock": row.clock,
        ":body": row.body,
        ":owner": owner,
        ":until": until,
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
    headers: &str,
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
        headers,
        event.payload,
        microseconds(now),
    ]);
    inserted.map(drop)
}

fn insert_dead_letter(
    connection: &Connection,
    letter: &DeadLetter,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "
        INSERT INTO dead_letters
            (topic, record_partition, record_offset, record_key, headers, payload, error, occurred_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        letter.topic,
        letter.partition,
        letter.offset,
        letter.key,
        headers_json(&letter.headers),
        letter.payload,
        letter.error,
        microseconds(now),
    ]);
    inserted.map(drop)
}

fn refuse_if_none(changed: usize, refusal: WriteError) -> Result<(), WriteError> {
    if changed == 0 {
        return Err(refusal);
    }
    Ok(())
}
