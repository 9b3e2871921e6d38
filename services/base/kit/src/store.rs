//! The port to storage: rows, the outbox, the inbox, idempotency keys and dead letters of one service, written together.
//!
//! A write is a value ([`Write`]): either all of it is durable or none. Rows are found by the correlation id of their saga; a row without a
//! public id is a *tombstone*, which says that the saga ended before this service had anything to do with it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The saga.
    pub correlation_id: Uuid,
    /// The public id; `None` for a tombstone.
    pub id: Option<i64>,
    /// Begins at 1 and grows by one with every write.
    pub version: i64,
    /// The canonical state.
    pub state: String,
    /// The saga's logical clock as this row has seen it.
    pub clock: i64,
    /// The component's own data, as JSON.
    pub body: String,
    /// Who settles the row, while somebody does.
    pub claim: Option<Claim>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who settles a pending row, and until when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The process.
    pub owner: Uuid,
    /// Whether it still holds, by the database's time when the row was read.
    pub live: bool,
}

/// What becomes of a row's claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClaimChange {
    /// Nobody holds it from now on.
    Release,
    /// This process holds it, from the database's present time on.
    Take {
        /// The process.
        owner: Uuid,
        /// For how long.
        hold_for: Duration,
    },
}

/// A new or changed row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowWrite {
    /// The saga.
    pub correlation_id: Uuid,
    /// The public id, from [`Store::reserve_id`]; `None` for a tombstone.
    pub id: Option<i64>,
    /// The version that must be stored now; 0 says that there must be no row yet. The write stores the next one.
    pub expected_version: i64,
    /// The canonical state.
    pub state: String,
    /// The saga's logical clock.
    pub clock: i64,
    /// The component's own data, as JSON.
    pub body: String,
    /// What becomes of the claim.
    pub claim: ClaimChange,
}

/// An event on its way to the log; the columns are those of Debezium's outbox event router
/// (<https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html>).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutboxEvent {
    /// The event's id.
    pub id: Uuid,
    /// The kind of row that raised it, such as `booking`.
    pub aggregate_type: String,
    /// The correlation id: the key of the record.
    pub aggregate_id: Uuid,
    /// The event's type.
    pub event_type: String,
    /// Version of the row that raised it; what the relay orders by.
    pub version: i64,
    /// Headers of the record.
    pub headers: Vec<(String, String)>,
    /// Data of the record, as JSON.
    pub payload: String,
}

/// What a write does with an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyWrite {
    /// Takes a key that nobody has.
    Begin {
        /// What the client sent.
        key: String,
        /// Of the request's body.
        fingerprint: String,
        /// The saga that it began.
        correlation_id: Uuid,
    },
    /// Records the final answer to the key's request, if the saga has a key.
    Settle {
        /// The saga.
        correlation_id: Uuid,
        /// The answer.
        answer: StoredAnswer,
    },
}

/// A final answer, to be replayed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Public id of what was made, if something was.
    pub location_id: Option<i64>,
    /// Body, as JSON.
    pub body: String,
}

/// What is known of an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRow {
    /// What the client sent.
    pub key: String,
    /// Of the first request's body.
    pub fingerprint: String,
    /// The saga that it began.
    pub correlation_id: Uuid,
    /// The final answer, once there is one.
    pub answer: Option<StoredAnswer>,
}

/// A record that can never be handled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetter {
    /// Where it came from.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its key.
    pub key: Option<String>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Why it cannot be handled, with every cause.
    pub error: String,
}

/// Everything that one step makes durable at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Write {
    /// The row.
    pub row: Option<RowWrite>,
    /// Events for the outbox, in order.
    pub events: Vec<OutboxEvent>,
    /// Id of the consumed event whose effect this is.
    pub inbox: Option<Uuid>,
    /// What becomes of an idempotency key.
    pub key: Option<KeyWrite>,
    /// A record that cannot be handled.
    pub dead_letter: Option<DeadLetter>,
}

/// Why a write was not done; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The stored row has another version, or there is (no) row against expectation: read again and decide again.
    #[error("the row was changed by somebody else")]
    Conflict,
    /// The consumed event had its effect before.
    #[error("the event was handled before")]
    Duplicate,
    /// Another request took the idempotency key.
    #[error("the idempotency key is taken")]
    KeyTaken,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time; worth another try.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered with what should not be.
    #[error("the database answered with an error")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The service is stopping.
    #[error("the store is closed")]
    Closed,
}

/// Rows and messages of one service.
#[async_trait]
pub trait Store: Send + Sync {
    /// The next public id; ids grow, and an id that is not used leaves a gap.
    async fn reserve_id(&self) -> Result<i64, StoreError>;

    /// Makes a write durable.
    async fn write(&self, write: Write) -> Result<(), WriteError>;

    /// The row of a saga.
    async fn load(&self, correlation_id: Uuid) -> Result<Option<Row>, StoreError>;

    /// The row with a public id.
    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError>;

    /// Up to `limit` rows with a public id above `after`, by id; no tombstones.
    async fn list(&self, after: i64, limit: u32) -> Result<Vec<Row>, StoreError>;

    /// What is known of an idempotency key.
    async fn load_key(&self, key: &str) -> Result<Option<KeyRow>, StoreError>;

    /// What is known of the idempotency key that began a saga.
    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError>;

    /// Claims up to `limit` rows in a state that are older than `age` and that nobody holds, by the database's time, and returns them with
    /// their new version.
    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError>;

    /// Up to `limit` events that are not yet published: of one saga always the ones of lowest version first.
    async fn load_unpublished(&self, limit: u32) -> Result<Vec<OutboxEvent>, StoreError>;

    /// Marks events as published.
    async fn mark_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError>;

    /// Takes, or renews, the lease on relaying for a time by the database's clock; false while another process holds it.
    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError>;

    /// Gives the lease back, if it is still held.
    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError>;

    /// Which of these consumed events had their effect before.
    async fn load_seen(&self, event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError>;

    /// Dead letters, oldest first.
    async fn list_dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError>;

    /// Deletes published events, and inbox and idempotency rows and tombstones that are older than `age`; returns how many.
    async fn prune(&self, age: Duration) -> Result<u64, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Waits until this process has written events to the outbox, or returns at once if it has since the last call.
    async fn wait_for_outbox_change(&self);

    /// Finishes what was accepted, and closes.
    async fn close(&self);
}

/// Which rows are due to be settled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Due {
    /// The canonical state they are in.
    pub state: String,
    /// How old they are at least.
    pub age: Duration,
    /// Who claims them.
    pub owner: Uuid,
    /// For how long.
    pub hold_for: Duration,
    /// How many at most.
    pub limit: u32,
}
