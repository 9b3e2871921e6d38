//! The store in a schema of a PostgreSQL database.
//!
//! What a step has decided is one statement, and so one transaction and one round trip. Only a step
//! that must keep others from a parent row is a transaction of several statements. Time is the
//! database's. Several processes may share a schema.

mod connect;
mod connections;
mod dead_letters;
mod messages;
mod migrate;
mod options;
mod outbox;
mod pooler;
mod rows;
mod step;
mod tls;
mod write;

use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::Failure;
use innkeeper_kit::store::{
    DeadLetterKind, DeadLetterQuery, Due, FailedReplay, KeyRow, OutboxEvent, ParkedEvent, Query,
    Refusal, Row, Step, StepOutcome, Store, StoreError, StoredDeadLetter,
};
use innkeeper_kit::transport::Transport;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::OpenError;
use connections::Connections;

pub use options::{Credentials, PostgresOptions};

/// A [`Store`] in a schema of a PostgreSQL database.
pub struct Postgres {
    connections: Connections,
    outbox_changed: Notify,
}

impl Postgres {
    /// Connects, creates the schema if it is missing, and migrates its tables.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        options.check_schema()?;
        let connections = Connections::open(&options)?;
        pooler::check(&connections, &options).await?;
        migrate::run(&connections, &options).await?;
        Ok(Self {
            connections,
            outbox_changed: Notify::new(),
        })
    }
}

#[async_trait]
impl Store for Postgres {
    async fn run(&self, step: Step) -> Result<StepOutcome, Failure> {
        let ran = step::run(&self.connections, step).await?;
        if ran.has_events {
            self.outbox_changed.notify_one();
        }
        Ok(ran.outcome)
    }

    async fn load(&self, row_id: Uuid) -> Result<Option<Row>, StoreError> {
        rows::load(&self.connections, row_id).await
    }

    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError> {
        rows::load_by_id(&self.connections, id).await
    }

    async fn list(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        rows::list(&self.connections, &query).await
    }

    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError> {
        messages::load_key_of(&self.connections, correlation_id).await
    }

    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError> {
        rows::claim_due(&self.connections, &due).await
    }

    async fn load_unpublished(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        outbox::load_unpublished(&self.connections, after, limit).await
    }

    async fn delete_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError> {
        outbox::delete(&self.connections, &ids).await
    }

    async fn park(&self, refusals: Vec<Refusal>) -> Result<(), StoreError> {
        outbox::park(&self.connections, &refusals).await
    }

    async fn list_parked(&self, limit: u32) -> Result<Vec<ParkedEvent>, StoreError> {
        outbox::list_parked(&self.connections, limit).await
    }

    async fn count_parked(&self) -> Result<u64, StoreError> {
        outbox::count_parked(&self.connections).await
    }

    async fn replay_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let was_parked = outbox::unpark(&self.connections, event_id).await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn discard_parked(&self, event_id: Uuid) -> Result<bool, StoreError> {
        let was_parked = outbox::discard(&self.connections, event_id).await?;
        self.outbox_changed.notify_one();
        Ok(was_parked)
    }

    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError> {
        outbox::take_relay_lease(&self.connections, owner, hold_for).await
    }

    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError> {
        outbox::release_relay_lease(&self.connections, owner).await
    }

    async fn load_seen(&self, event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        messages::load_seen(&self.connections, &event_ids).await
    }

    async fn list_dead_letters(
        &self,
        query: DeadLetterQuery,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        dead_letters::list(&self.connections, query).await
    }

    async fn load_dead_letter(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError> {
        dead_letters::load(&self.connections, id).await
    }

    async fn count_dead_letters(&self) -> Result<Vec<(DeadLetterKind, u64)>, StoreError> {
        dead_letters::count(&self.connections).await
    }

    async fn keep_dead_letter(&self, replay: FailedReplay) -> Result<(), StoreError> {
        dead_letters::keep(&self.connections, &replay).await
    }

    async fn prune(&self, age: Duration) -> Result<u64, StoreError> {
        messages::prune(&self.connections, age).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.connections.query("SELECT 1", &[]).await?;
        Ok(())
    }

    fn transport(&self) -> Option<Transport> {
        Some(self.connections.transport())
    }

    async fn wait_for_outbox_change(&self) {
        self.outbox_changed.notified().await;
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}
