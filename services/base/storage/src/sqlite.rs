//! The store in an SQLite file.
//!
//! One thread writes: it runs all waiting steps in one commit, each in a savepoint of its own, and
//! answers after the commit. Reads use a few connections of their own. A file lock on
//! `FILE.lock` keeps other processes out, and is released when this process ends.

mod claim;
mod connection;
mod dead_letters;
mod lease;
mod lock;
mod messages;
mod outbox;
mod prune;
mod readers;
mod rows;
mod step;
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
use innkeeper_kit::{Clock, Failure};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::OpenError;
use readers::Readers;
use writer::{Wake, Writer};

/// A [`Store`] in an SQLite file of which this process is the only user.
pub struct Sqlite {
    /// The next public id, which only the writer changes.
    next_id: Arc<AtomicI64>,
    outbox_changed: Arc<Notify>,
    readers: Arc<Readers>,
    writer: Writer,
    clock: Arc<dyn Clock>,
}

impl Sqlite {
    /// Opens the file and migrates its tables. The file is created if it is missing; its folder
    /// must exist.
    pub async fn open(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let file = file.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(&file, clock))
            .await
            .expect("opening does not panic and is not aborted")
    }

    fn open_blocking(file: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let lock = lock::take(file)?;
        let mut connection = connection::open_for_writing(file)?;
        connection::migrate(&mut connection, file)?;
        let database_error = |source| OpenError::Database {
            file: file.to_owned(),
            source,
        };
        // The lock proves that every earlier owner of a lease or claim is gone.
        connection
            .execute("DELETE FROM lease", [])
            .map_err(database_error)?;
        claim::release_all(&connection).map_err(database_error)?;
        let last_id = rows::load_last_id(&connection).map_err(database_error)?;
        let readers = Readers::open(file)?;
        let writer =
            Writer::start(connection, lock, Arc::clone(&clock)).map_err(OpenError::Thread)?;
        Ok(Self {
            next_id: Arc::new(AtomicI64::new(last_id + 1)),
            outbox_changed: Arc::default(),
            readers: Arc::new(readers),
            writer,
            clock,
        })
    }

    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> rusqlite::Result<T> + Send + 'static,
    {
        let clock = Arc::clone(&self.clock);
        Arc::clone(&self.readers)
            .run(move |connection| query(connection, clock.now()))
            .await
    }

    async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> rusqlite::Result<T> + Send + 'static,
    {
        self.writer
            .run(
                |connection, now| work(connection, now).map_err(connection::store_error),
                None,
            )
            .await
    }

    async fn delete_in_batches(
        &self,
        statement: &'static str,
        age: Duration,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let batch = self
                .change(move |connection, now| prune::delete_batch(connection, statement, age, now))
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
        let next_id = Arc::clone(&self.next_id);
        let ran = self.writer.run(
            move |connection, now| step::run(connection, &mut step, &next_id, now),
            Some(Wake {
                waiting: Arc::clone(&self.outbox_changed),
                is_due: |ran: &step::Ran| ran.has_events,
            }),
        );
        Ok(ran.await?.outcome)
    }

    async fn load(&self, row_id: Uuid) -> Result<Option<Row>, StoreError> {
        self.read(move |connection, now| rows::load(connection, row_id, now))
            .await
    }

    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError> {
        self.read(move |connection, now| rows::load_by_id(connection, id, now))
            .await
    }

    async fn list(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        self.read(move |connection, now| rows::list(connection, &query, now))
            .await
    }

    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError> {
        self.read(move |connection, _| messages::load_key_of(connection, correlation_id))
            .await
    }

    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError> {
        self.change(move |connection, now| claim::claim_due(connection, &due, now))
            .await
    }

    async fn load_unpublished(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        self.read(move |connection, _| outbox::load_unpublished(connection, after, limit))
            .await
    }

    async fn delete_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError> {
        self.change(move |connection, _| outbox::delete(connection, &ids))
            .await
    }

    async fn park(&self, refusals: Vec<Refusal>) -> Result<(), StoreError> {
        self.change(move |connection, now| outbox::park(connection, &refusals, now))
            .await
    }

    async fn list_parked(&self, limit: u32) -> Result<Vec<ParkedEvent>, StoreError> {
        self.read(move |connection, _| outbox::list_parked(connection, limit))
            .await
    }

    async fn count_parked(&self) -> Result<u64, StoreError> {
        self.read(|connection, _| outbox::count_parked(connection))
            .await
    }

    async fn replay_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let replayed = self.change(move |connection, _| outbox::unpark(connection, event_id));
        let was_parked = replayed.await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn discard_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let discarded = self.change(move |connection, _| outbox::discard(connection, event_id));
        let was_parked = discarded.await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError> {
        self.change(move |connection, now| lease::take(connection, owner, hold_for, now))
            .await
    }

    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError> {
        self.change(move |connection, _| lease::release(connection, owner))
            .await
    }

    async fn load_seen(&self, event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection, _| messages::load_seen(connection, event_ids))
            .await
    }

    async fn list_dead_letters(
        &self,
        query: DeadLetterQuery,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.read(move |connection, _| dead_letters::list(connection, query))
            .await
    }

    async fn load_dead_letter(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.read(move |connection, _| dead_letters::load(connection, id))
            .await
    }

    async fn count_dead_letters(&self) -> Result<Vec<(DeadLetterKind, u64)>, StoreError> {
        self.read(|connection, _| dead_letters::count(connection))
            .await
    }

    async fn keep_dead_letter(&self, replay: FailedReplay) -> Result<(), StoreError> {
        self.change(move |connection, _| dead_letters::keep(connection, &replay))
            .await
    }

    async fn prune(&self, age: Duration) -> Result<u64, StoreError> {
        let leftovers = prune::LEFTOVERS.map(|statement| (statement, Duration::ZERO));
        let old = prune::STATEMENTS.map(|statement| (statement, age));
        let mut deleted = 0;
        for (statement, age) in leftovers.into_iter().chain(old) {
            deleted += self.delete_in_batches(statement, age).await?;
        }
        Ok(deleted)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.check_open()?;
        self.read(|connection, _| connection.query_row("SELECT 1", [], |_| Ok(())))
            .await
    }

    async fn wait_for_outbox_change(&self) {
        self.outbox_changed.notified().await;
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
