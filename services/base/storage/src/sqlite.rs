//! The store in an SQLite file, which belongs to one service or is shared by all services of a
//! platform.
//!
//! One thread writes: it runs all waiting steps in one commit, and answers after the commit. Reads
//! use a few connections of their own. A file lock on `FILE.lock` keeps other processes out, and is
//! released when this process ends.

mod claim;
mod connection;
mod dead_letters;
mod file;
mod headers;
mod lease;
mod leftovers;
mod lock;
mod log;
mod messages;
mod outbox;
mod platform_file;
mod prune;
mod readers;
mod rows;
mod step;
mod tables;
mod write;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{
    DeadLetterKind, DeadLetterQuery, Due, FailedReplay, KeyRow, OutboxEvent, ParkedEvent, Query,
    Refusal, Row, Step, StepOutcome, Store, StoreError, StoredDeadLetter,
};
use innkeeper_kit::{Clock, CrashPlan, Failure};
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::OpenError;
use file::File;
use tables::{Session, Tables};
use writer::Wake;

pub use platform_file::{PlatformFile, PlatformOptions, PlatformService};

/// The [`Store`] of one service in an SQLite file of which this process is the only user.
pub struct Sqlite {
    file: Arc<File>,
    tables: Arc<Tables>,
    /// Whether the file is closed with this store.
    is_alone: bool,
    /// The next public id, which only the writer changes.
    next_id: Arc<AtomicI64>,
    outbox_changed: Arc<Notify>,
}

impl Sqlite {
    /// Opens the file of one service and migrates its tables. The file is created if it is missing;
    /// its folder must exist.
    pub async fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = file.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut opened = file::Opened::of(&path)?;
            let tables = Arc::new(Tables::alone());
            let last_id = opened.prepare(&tables)?;
            let file = opened.start(None, clock, CrashPlan::default())?;
            Ok(Self::of(Arc::new(file), tables, last_id, true))
        })
        .await
        .expect("opening does not panic and is not aborted")
    }

    /// The store of the service with these tables, in which `last_id` is the highest public id.
    fn of(file: Arc<File>, tables: Arc<Tables>, last_id: i64, is_alone: bool) -> Self {
        Self {
            file,
            tables,
            is_alone,
            next_id: Arc::new(AtomicI64::new(last_id + 1)),
            outbox_changed: Arc::default(),
        }
    }

    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(Session<'_>, Timestamp) -> rusqlite::Result<T> + Send + 'static,
    {
        let (tables, clock) = (Arc::clone(&self.tables), Arc::clone(&self.file.clock));
        let query = move |connection: &rusqlite::Connection| {
            let tables = &tables;
            query(Session { connection, tables }, clock.now())
        };
        Arc::clone(&self.file.readers).run(query).await
    }

    async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(Session<'_>, Timestamp) -> rusqlite::Result<T> + Send + 'static,
    {
        let tables = Arc::clone(&self.tables);
        let work = move |transaction: &writer::Transaction<'_>| {
            let changed = work(transaction.session(&tables), transaction.now);
            changed.map_err(connection::store_error)
        };
        self.file.writer.run(work, None).await
    }

    async fn delete_in_batches(
        &self,
        statement: &'static str,
        age: Duration,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let batch = self
                .change(move |session, now| prune::delete_batch(session, statement, age, now))
                .await?;
            deleted += batch;
            if batch < prune::BATCH {
                return Ok(deleted);
            }
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn run(&self, mut step: Step) -> Result<StepOutcome, Failure> {
        let (tables, next_id) = (Arc::clone(&self.tables), Arc::clone(&self.next_id));
        let ran = self.file.writer.run(
            move |transaction: &writer::Transaction<'_>| {
                step::run(transaction, &tables, &mut step, &next_id)
            },
            Some(Wake {
                waiting: Arc::clone(&self.outbox_changed),
                is_due: |ran: &step::Ran| ran.has_events,
            }),
        );
        Ok(ran.await?.outcome)
    }

    async fn load(&self, row_id: Uuid) -> Result<Option<Row>, StoreError> {
        self.read(move |session, now| rows::load(session, row_id, now))
            .await
    }

    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError> {
        self.read(move |session, now| rows::load_by_id(session, id, now))
            .await
    }

    async fn list(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        self.read(move |session, now| rows::list(session, &query, now))
            .await
    }

    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError> {
        self.read(move |session, _| messages::load_key_of(session, correlation_id))
            .await
    }

    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError> {
        self.change(move |session, now| claim::claim_due(session, &due, now))
            .await
    }

    async fn load_unpublished(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        self.read(move |session, _| outbox::load_unpublished(session, after, limit))
            .await
    }

    async fn delete_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError> {
        self.change(move |session, _| outbox::delete(session, &ids))
            .await
    }

    async fn park(&self, refusals: Vec<Refusal>) -> Result<(), StoreError> {
        self.change(move |session, now| outbox::park(session, &refusals, now))
            .await
    }

    async fn list_parked(&self, limit: u32) -> Result<Vec<ParkedEvent>, StoreError> {
        self.read(move |session, _| outbox::list_parked(session, limit))
            .await
    }

    async fn count_parked(&self) -> Result<u64, StoreError> {
        self.read(|session, _| outbox::count_parked(session)).await
    }

    async fn replay_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let replayed = self.change(move |session, _| outbox::unpark(session, event_id));
        let was_parked = replayed.await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn discard_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let discarded = self.change(move |session, _| outbox::discard(session, event_id));
        let was_parked = discarded.await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError> {
        self.change(move |session, now| lease::take(session, owner, hold_for, now))
            .await
    }

    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError> {
        self.change(move |session, _| lease::release(session, owner))
            .await
    }

    async fn load_seen(&self, event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |session, _| messages::load_seen(session, event_ids))
            .await
    }

    async fn list_dead_letters(
        &self,
        query: DeadLetterQuery,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.read(move |session, _| dead_letters::list(session, query))
            .await
    }

    async fn load_dead_letter(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.read(move |session, _| dead_letters::load(session, id))
            .await
    }

    async fn count_dead_letters(&self) -> Result<Vec<(DeadLetterKind, u64)>, StoreError> {
        self.read(|session, _| dead_letters::count(session)).await
    }

    async fn keep_dead_letter(&self, replay: FailedReplay) -> Result<(), StoreError> {
        self.change(move |session, _| dead_letters::keep(session, &replay))
            .await
    }

    async fn prune(&self, age: Duration) -> Result<u64, StoreError> {
        let leftovers = prune::LEFTOVERS.map(|statement| (statement, Duration::ZERO));
        let old = prune::STATEMENTS.map(|statement| (statement, age));
        let mut deleted = 0;
        for (statement, age) in leftovers.into_iter().chain(old) {
            deleted += self.delete_in_batches(statement, age).await?;
        }
        loop {
            let found = self.read(move |session, now| prune::find_old_inbox(session, age, now));
            let found = found.await?;
            if found.is_empty() {
                return Ok(deleted);
            }
            let delete = self.change(move |session, _| prune::delete_inbox(session, &found));
            deleted += delete.await?;
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.file.writer.check_open()?;
        self.read(|session, _| session.connection.query_row("SELECT 1", [], |_| Ok(())))
            .await
    }

    async fn wait_for_outbox_change(&self) {
        self.outbox_changed.notified().await;
    }

    async fn close(&self) {
        if self.is_alone {
            self.file.close().await;
        }
    }
}
