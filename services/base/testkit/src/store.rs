//! A store in memory. It keeps every promise of the port but durability: the conformance suite of
//! the real stores runs on it too.

mod tables;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{
    DeadLetterKind, DeadLetterQuery, Due, FailedReplay, KeyRow, OutboxEvent, ParkedEvent, Query,
    Refusal, Row, Step, StepOutcome, Store, StoreError, StoredDeadLetter,
};
use innkeeper_kit::{Clock, Failure};
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use tables::Tables;

/// What stores in memory keep. Stores that share it see the same rows, as processes on one database
/// do.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

/// A [`Store`] in memory.
pub struct MemoryStore {
    memory: Memory,
    clock: Arc<dyn Clock>,
    outbox_changed: Notify,
    is_open: Mutex<bool>,
}

impl MemoryStore {
    /// Opens a store on what is kept.
    pub fn open(memory: Memory, clock: Arc<dyn Clock>) -> Self {
        Self {
            memory,
            clock,
            outbox_changed: Notify::new(),
            is_open: Mutex::new(true),
        }
    }

    fn tables(&self) -> Result<(MutexGuard<'_, Tables>, Timestamp), StoreError> {
        if !*self.is_open.lock().unwrap() {
            return Err(StoreError::Closed);
        }
        // A decision that panics changes nothing.
        let tables = self.memory.0.lock();
        let tables = tables.unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok((tables, self.clock.now()))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn run(&self, mut step: Step) -> Result<StepOutcome, Failure> {
        let (mut tables, now) = self.tables()?;
        if step.input.inbox.is_some_and(|id| tables.has_seen(id)) {
            return Ok(StepOutcome::Duplicate);
        }
        let changes = (step.decide)(&tables.look(&step.input, now))?;
        if !changes.is_empty() {
            let has_events = !changes.events.is_empty();
            tables.apply(changes, step.input.inbox, now)?;
            if has_events {
                self.outbox_changed.notify_one();
            }
        }
        Ok(StepOutcome::Done(()))
    }

    async fn load(&self, row_id: Uuid) -> Result<Option<Row>, StoreError> {
        let (tables, now) = self.tables()?;
        Ok(tables.row(row_id, now))
    }

    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError> {
        let (tables, now) = self.tables()?;
        Ok(tables.rows(now, |row| row.id == Some(id)).pop())
    }

    async fn list(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        let (tables, now) = self.tables()?;
        let mut rows = tables.rows(now, |row| {
            let is_owned = query.owner.is_none() || row.owner == query.owner;
            is_owned && row.id > Some(query.after)
        });
        rows.sort_by_key(|row| row.id);
        rows.truncate(query.limit as usize);
        Ok(rows)
    }

    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError> {
        Ok(self.tables()?.0.key_of(correlation_id))
    }

    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError> {
        let (mut tables, now) = self.tables()?;
        Ok(tables.claim_due(&due, now))
    }

    async fn load_unpublished(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        Ok(self.tables()?.0.unpublished(after, limit))
    }

    async fn delete_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError> {
        self.tables()?.0.delete_published(&ids);
        Ok(())
    }

    async fn park(&self, refusals: Vec<Refusal>) -> Result<(), StoreError> {
        let (mut tables, now) = self.tables()?;
        tables.park(refusals, now);
        Ok(())
    }

    async fn list_parked(&self, limit: u32) -> Result<Vec<ParkedEvent>, StoreError> {
        let (tables, _) = self.tables()?;
        let parked = tables.parked().take(limit as usize);
        Ok(parked.cloned().collect())
    }

    async fn count_parked(&self) -> Result<u64, StoreError> {
        Ok(self.tables()?.0.parked().count() as u64)
    }

    async fn replay_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let is_parked = self.tables()?.0.unpark(event_id);
        self.outbox_changed.notify_one();
        Ok(is_parked)
    }

    async fn discard_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let (mut tables, _) = self.tables()?;
        let is_parked = tables.unpark(event_id);
        if is_parked {
            tables.delete_published(&[event_id]);
        }
        self.outbox_changed.notify_one();
        Ok(is_parked)
    }

    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError> {
        let (mut tables, now) = self.tables()?;
        Ok(tables.take_lease(owner, hold_for, now))
    }

    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError> {
        self.tables()?.0.release_lease(owner);
        Ok(())
    }

    async fn load_seen(&self, mut event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let (tables, _) = self.tables()?;
        event_ids.retain(|id| tables.has_seen(*id));
        Ok(event_ids)
    }

    async fn list_dead_letters(
        &self,
        query: DeadLetterQuery,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        Ok(self.tables()?.0.dead_letters(query))
    }

    async fn load_dead_letter(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError> {
        Ok(self.tables()?.0.dead_letter(id))
    }

    async fn count_dead_letters(&self) -> Result<Vec<(DeadLetterKind, u64)>, StoreError> {
        Ok(self.tables()?.0.count_dead_letters())
    }

    async fn keep_dead_letter(&self, replay: FailedReplay) -> Result<(), StoreError> {
        self.tables()?.0.keep_dead_letter(replay);
        Ok(())
    }

    async fn prune(&self, age: Duration) -> Result<u64, StoreError> {
        let (mut tables, now) = self.tables()?;
        Ok(tables.prune(age, now))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.tables().map(drop)
    }

    async fn wait_for_outbox_change(&self) {
        self.outbox_changed.notified().await;
    }

    async fn close(&self) {
        *self.is_open.lock().unwrap() = false;
    }
}
