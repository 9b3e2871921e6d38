//! Runs one step on the writer's thread, within a savepoint.

use std::sync::atomic::{AtomicI64, Ordering};

use innkeeper_kit::Failure;
use innkeeper_kit::store::{Row, Scope, Seen, Step, StepInput, StepOutcome, StoreError};
use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use super::connection::store_error;
use super::{messages, rows, write};

/// What a step did.
pub struct Ran {
    pub outcome: StepOutcome,
    /// Whether it added events to the outbox.
    pub has_events: bool,
}

/// Loads, decides and writes. After an error the caller must roll the savepoint back. Nobody else
/// writes meanwhile, so that no decision is taken twice.
pub fn run(
    connection: &Connection,
    step: &mut Step,
    next_id: &AtomicI64,
    now: Timestamp,
) -> Result<Ran, Failure> {
    let inbox = step.input.inbox;
    if let Some(event_id) = inbox
        && is_seen(connection, event_id)?
    {
        return Ok(Ran {
            outcome: StepOutcome::Duplicate,
            has_events: false,
        });
    }
    let id = next_id.load(Ordering::Relaxed);
    let seen = look(connection, &step.input, id, now).map_err(store_error)?;
    let changes = (step.decide)(&seen)?;
    if !changes.is_empty() {
        write::run(connection, &changes, inbox, now)?;
        if changes.rows.iter().any(|row| row.id == Some(id)) {
            next_id.store(id + 1, Ordering::Relaxed);
        }
    }
    Ok(Ran {
        outcome: StepOutcome::Done(()),
        has_events: !changes.events.is_empty(),
    })
}

fn is_seen(connection: &Connection, event_id: Uuid) -> Result<bool, StoreError> {
    let seen = messages::load_seen(connection, vec![event_id]).map_err(store_error)?;
    Ok(!seen.is_empty())
}

fn look(
    connection: &Connection,
    input: &StepInput,
    next_id: i64,
    now: Timestamp,
) -> rusqlite::Result<Seen> {
    let key = match &input.key {
        Some(key) => messages::load_key(connection, key)?,
        None => None,
    };
    let saga_of_key = key.as_ref().map(|key| Scope::Saga(key.correlation_id));
    let mut rows: Vec<Row> = Vec::new();
    for part in input.scope.parts().into_iter().chain(&saga_of_key) {
        for row in load(connection, part, now)? {
            if rows.iter().all(|known| known.row_id != row.row_id) {
                rows.push(row);
            }
        }
    }
    let is_new = input.may_insert && rows.is_empty();
    Ok(Seen {
        rows,
        key,
        new_id: is_new.then_some(next_id),
        now,
    })
}

fn load(connection: &Connection, part: &Scope, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    match part {
        Scope::Nothing | Scope::All(_) => Ok(Vec::new()),
        Scope::Saga(saga) => rows::load_saga(connection, *saga, now),
        Scope::Id(id) => Ok(rows::load_by_id(connection, *id, now)?
            .into_iter()
            .collect()),
        Scope::SecondKey { aggregate, key } => {
            rows::load_by_second_key(connection, aggregate, key, now)
        }
        Scope::Parent { id, range } => {
            let Some(parent) = rows::load_by_id(connection, *id, now)? else {
                return Ok(Vec::new());
            };
            let children = rows::load_children(connection, parent.row_id, *range, now)?;
            Ok(std::iter::once(parent).chain(children).collect())
        }
    }
}
