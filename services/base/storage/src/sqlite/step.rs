//! Runs one step on the writer's thread.

use std::sync::atomic::{AtomicI64, Ordering};

use innkeeper_kit::Failure;
use innkeeper_kit::store::{Row, Scope, Seen, Step, StepInput, StepOutcome, StoreError};
use jiff::Timestamp;
use uuid::Uuid;

use super::connection::store_error;
use super::tables::{Session, Tables};
use super::writer::Transaction;
use super::{messages, rows, write};

/// What a step did.
pub struct Ran {
    pub outcome: StepOutcome,
    /// Whether it added events to the outbox.
    pub has_events: bool,
}

/// Loads, decides and writes. If it fails after it has written, the caller must roll back. Nobody
/// else writes meanwhile, so that no decision is taken twice.
pub fn run(
    transaction: &Transaction<'_>,
    tables: &Tables,
    step: &mut Step,
    next_id: &AtomicI64,
) -> Result<Ran, Failure> {
    let session = transaction.session(tables);
    let inbox = step.input.inbox;
    let id = next_id.load(Ordering::Relaxed);
    let seen = look(session, &step.input, id, transaction.now).map_err(store_error)?;
    let changes = match (step.decide)(&seen) {
        Ok(changes) if !changes.is_empty() => changes,
        // The inbox, which tells events that had their effect before, is not written to.
        unchanged => {
            let outcome = match inbox {
                Some(event_id) if is_seen(session, event_id)? => StepOutcome::Duplicate,
                _ => unchanged.map(|_| StepOutcome::Done(()))?,
            };
            return Ok(Ran {
                outcome,
                has_events: false,
            });
        }
    };
    let has_events = !changes.events.is_empty();
    let takes_id = changes.rows.iter().any(|row| row.id == Some(id));
    let outcome = write::run(transaction, session, &seen.rows, changes, inbox)?;
    let is_done = outcome == StepOutcome::Done(());
    if takes_id && is_done {
        next_id.store(id + 1, Ordering::Relaxed);
    }
    Ok(Ran {
        outcome,
        has_events: has_events && is_done,
    })
}

fn is_seen(session: Session<'_>, event_id: Uuid) -> Result<bool, StoreError> {
    let seen = messages::load_seen(session, vec![event_id]).map_err(store_error)?;
    Ok(!seen.is_empty())
}

fn look(
    session: Session<'_>,
    input: &StepInput,
    next_id: i64,
    now: Timestamp,
) -> rusqlite::Result<Seen> {
    let key = match &input.key {
        Some(key) => messages::load_key(session, key)?,
        None => None,
    };
    let saga_of_key = key.as_ref().map(|key| Scope::Saga(key.correlation_id));
    let mut rows: Vec<Row> = Vec::new();
    for part in input.scope.parts().into_iter().chain(&saga_of_key) {
        let mut loaded = load(session, part, now)?;
        if rows.is_empty() {
            rows = loaded;
        } else {
            loaded.retain(|row| rows.iter().all(|known| known.row_id != row.row_id));
            rows.append(&mut loaded);
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

fn load(session: Session<'_>, part: &Scope, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    match part {
        Scope::Nothing | Scope::All(_) => Ok(Vec::new()),
        Scope::Saga(saga) => rows::load_saga(session, *saga, now),
        Scope::Id(id) => Ok(rows::load_by_id(session, *id, now)?.into_iter().collect()),
        Scope::SecondKey { aggregate, key } => {
            rows::load_by_second_key(session, aggregate, key, now)
        }
        Scope::Parent { id, range } => {
            let Some(parent) = rows::load_by_id(session, *id, now)? else {
                return Ok(Vec::new());
            };
            let children = rows::load_children(session, parent.row_id, *range, now)?;
            Ok(std::iter::once(parent).chain(children).collect())
        }
    }
}
