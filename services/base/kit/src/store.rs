//! The port to the database: rows, outbox, inbox, idempotency keys and dead letters of one service,
//! which are written together.
//!
//! What changes rows is a [`Step`]: the store loads what its scope names, lets it decide, and makes
//! what it decided durable, or nothing of it. Rows are found by the correlation id of their saga. A
//! row in the state [`ENDED`] is a *tombstone*: the saga ended before this service had a row for
//! it.

mod row;
mod step;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::Event;
use innkeeper_contracts::event::Header;
use jiff::Timestamp;
use uuid::Uuid;

pub use row::{Claim, ClaimChange, ENDED, Parent, Row, RowChange, TimeRange};
pub use step::{
    Changes, Decide, MAX_DECISIONS, Scope, Seen, Step, StepInput, StepOutcome, contended,
};

pub use crate::store_error::StoreError;

use crate::rejection::Failure;
use crate::transport::Transport;

/// An event on its way to the log. The columns are those of Debezium's outbox event router
/// (<https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html>).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutboxEvent {
    /// UUIDv7 of the event, by which consumers recognize a repetition.
    pub id: Uuid,
    /// The kind of row that raised it, such as `booking`.
    pub aggregate_type: String,
    /// The correlation id, which becomes the key of the record.
    pub aggregate_id: Uuid,
    /// The event's type, as in `ce_type`.
    pub event_type: String,
    /// Version of the row that raised it. The relay publishes a saga's events in this order.
    pub version: i64,
    /// Headers of the record, in order.
    pub headers: Vec<Header>,
    /// Payload of the record, as JSON text.
    pub payload: String,
    /// The event itself, if this process has raised it.
    pub event: Option<Arc<Event>>,
}

/// Why the log refuses an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Id of the refused event, which is in the outbox.
    pub event_id: Uuid,
    /// The error and all its causes.
    pub reason: String,
}

/// An event that the log refused for good. It and the later events of its saga stay in the outbox
/// until somebody replays or discards it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedEvent {
    /// The refused event, as it is in the outbox.
    pub event: OutboxEvent,
    /// Why the log refuses it: the error and all its causes.
    pub reason: String,
    /// When it was parked.
    pub parked_at: Timestamp,
}

/// What a step does with an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyChange {
    /// Takes a key that is not in use.
    Begin {
        /// The key of a principal ([`Principal::scoped_key`](crate::Principal::scoped_key)).
        key: String,
        /// Fingerprint of the request's body.
        fingerprint: String,
        /// Correlation id of the saga that the request began.
        correlation_id: Uuid,
    },
    /// Records the final answer to the request of a key; nothing happens if the saga has no key.
    Settle {
        /// Correlation id of the saga.
        correlation_id: Uuid,
        /// The answer that every repetition of the request gets from now on.
        answer: StoredAnswer,
    },
}

/// The final answer to a POST, which is replayed for its idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredAnswer {
    /// HTTP status code, such as 201.
    pub status: u16,
    /// Public id of the new resource, if one was made.
    pub location_id: Option<i64>,
    /// The body, as JSON text.
    pub body: String,
}

/// What is stored of an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRow {
    /// The key of a principal ([`Principal::scoped_key`](crate::Principal::scoped_key)).
    pub key: String,
    /// Fingerprint of the first request's body.
    pub fingerprint: String,
    /// Correlation id of the saga that the request began.
    pub correlation_id: Uuid,
    /// The final answer; `None` while there is none.
    pub answer: Option<StoredAnswer>,
}

/// Why a record became a dead letter.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DeadLetterKind {
    /// The record cannot be read as an event.
    Unreadable,
    /// This release does not know the type of the event, or the state of a row that it is about.
    /// The release that does replays it on its own.
    Unknown,
    /// The effect failed again and again.
    Failed,
}

impl DeadLetterKind {
    /// Every kind that this release knows.
    pub const ALL: [Self; 3] = [Self::Unreadable, Self::Unknown, Self::Failed];

    /// The name, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "Unreadable",
            Self::Unknown => "Unknown",
            Self::Failed => "Failed",
        }
    }

    /// The kind with this name. A kind of a later release counts as [`Self::Failed`], which is
    /// replayed by people only.
    pub fn of_stored(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|kind| kind.as_str() == name);
        found.unwrap_or(Self::Failed)
    }
}

/// A record that could not be handled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetter {
    /// Identifies the dead letter. It follows from the whole record, so that a record that comes
    /// again has it again, and another record at the same offset of a re-created topic has not.
    pub id: Uuid,
    /// Why the record could not be handled.
    pub kind: DeadLetterKind,
    /// Id of the event, if it can be read. A step with this id as [`StepInput::inbox`] deletes the
    /// dead letter.
    pub event_id: Option<Uuid>,
    /// Topic of the record.
    pub topic: String,
    /// Partition of the record.
    pub partition: i32,
    /// Offset of the record within its partition.
    pub offset: i64,
    /// Key of the record.
    pub key: Option<String>,
    /// Headers of the record, in order.
    pub headers: Vec<Header>,
    /// Payload of the record.
    pub payload: Vec<u8>,
    /// What went wrong the last time: the error and all its causes.
    pub error: String,
    /// How often the record was tried.
    pub tries: u32,
}

/// A dead letter as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredDeadLetter {
    /// Its place among the dead letters of the service, which grows from one to the next.
    pub number: i64,
    /// When it was stored.
    pub occurred_at: Timestamp,
    /// The record that could not be handled, and why.
    pub letter: DeadLetter,
}

/// Which dead letters [`Store::list_dead_letters`] loads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeadLetterQuery {
    /// Only those of this kind; `None` for all.
    pub kind: Option<DeadLetterKind>,
    /// Only those with a greater number.
    pub after: i64,
    /// How many at most.
    pub limit: u32,
}

/// What another try of a dead letter came to, if it failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailedReplay {
    /// Id of the dead letter.
    pub id: Uuid,
    /// Why the record could not be handled this time.
    pub kind: DeadLetterKind,
    /// The error and all its causes.
    pub error: String,
}

/// The database of one service.
#[async_trait]
pub trait Store: Send + Sync {
    /// Runs a step. Conflicts with other writers are the store's own affair: it decides anew, at
    /// most [`MAX_DECISIONS`] times.
    async fn run(&self, step: Step) -> Result<StepOutcome, Failure>;

    /// Loads a row by [`Row::row_id`], which is the correlation id if its saga has no other row;
    /// `None` if there is none.
    async fn load(&self, row_id: Uuid) -> Result<Option<Row>, StoreError>;

    /// Loads the row with a public id; `None` if there is none.
    async fn load_by_id(&self, id: i64) -> Result<Option<Row>, StoreError>;

    /// Loads a page of rows that have a public id, in the order of their ids.
    async fn list(&self, query: Query) -> Result<Vec<Row>, StoreError>;

    /// Loads the idempotency key that began a saga; `None` if there is none.
    async fn load_key_of(&self, correlation_id: Uuid) -> Result<Option<KeyRow>, StoreError>;

    /// Claims rows that are due and have no valid claim, by the database's time, and returns them
    /// with their new version.
    async fn claim_due(&self, due: Due) -> Result<Vec<Row>, StoreError>;

    /// Loads up to `limit` events that are not published yet, of sagas with an id above `after`:
    /// sagas in the order of their ids, and the events of one saga in the order of their versions.
    /// Sagas with a parked event are left out.
    async fn load_unpublished(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, StoreError>;

    /// Deletes events that the log has.
    async fn delete_published(&self, ids: Vec<Uuid>) -> Result<(), StoreError>;

    /// Parks events that the log refuses for good; events that are no longer in the outbox are
    /// ignored.
    async fn park(&self, refusals: Vec<Refusal>) -> Result<(), StoreError>;

    /// Loads up to `limit` parked events, oldest first.
    async fn list_parked(&self, limit: u32) -> Result<Vec<ParkedEvent>, StoreError>;

    /// How many events are parked.
    async fn count_parked(&self) -> Result<u64, StoreError>;

    /// Lets the relay send a parked event again, and then the later ones of its saga; `false` if no
    /// such event is parked.
    async fn replay_parked(&self, event_id: Uuid) -> Result<bool, StoreError>;

    /// Deletes a parked event, so that the relay goes on with the later ones of its saga; `false`
    /// if no such event is parked.
    async fn discard_parked(&self, event_id: Uuid) -> Result<bool, StoreError>;

    /// Takes or renews the lease on relaying, by the database's time; `false` while another process
    /// holds it.
    async fn take_relay_lease(&self, owner: Uuid, hold_for: Duration) -> Result<bool, StoreError>;

    /// Gives the lease back if `owner` still holds it.
    async fn release_relay_lease(&self, owner: Uuid) -> Result<(), StoreError>;

    /// Loads which of these events had their effect before.
    async fn load_seen(&self, event_ids: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError>;

    /// Loads a page of dead letters, oldest first.
    async fn list_dead_letters(
        &self,
        query: DeadLetterQuery,
    ) -> Result<Vec<StoredDeadLetter>, StoreError>;

    /// Loads a dead letter; `None` if there is none with this id.
    async fn load_dead_letter(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError>;

    /// Counts the dead letters of each kind that there are any of.
    async fn count_dead_letters(&self) -> Result<Vec<(DeadLetterKind, u64)>, StoreError>;

    /// Notes that a dead letter was tried once more in vain.
    async fn keep_dead_letter(&self, replay: FailedReplay) -> Result<(), StoreError>;

    /// Deletes inbox entries, settled idempotency keys and tombstones that are older than `age`,
    /// and events that an earlier release has marked as published; returns how many rows were
    /// deleted.
    async fn prune(&self, age: Duration) -> Result<u64, StoreError>;

    /// Checks whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// How its connections are protected; `None` if it has none.
    fn transport(&self) -> Option<Transport> {
        None
    }

    /// Waits until this process writes events to the outbox, or replays or discards a parked one;
    /// returns at once if it has since the last call.
    async fn wait_for_outbox_change(&self);

    /// Finishes the operations that were accepted, then closes the store.
    async fn close(&self);
}

/// Which rows [`Store::claim_due`] claims, and for whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Due {
    /// Canonical name of the state that they are in.
    pub state: String,
    /// Least age since they were inserted.
    pub age: Duration,
    /// Id of the process that claims them.
    pub owner: Uuid,
    /// How long the claim is valid.
    pub hold_for: Duration,
    /// How many rows to claim at most.
    pub limit: u32,
}

/// Which rows [`Store::list`] loads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Query {
    /// Only rows with a greater public id.
    pub after: i64,
    /// How many rows at most.
    pub limit: u32,
    /// Only rows of this owner; `None` for rows of any owner and of none.
    pub owner: Option<String>,
}

impl Query {
    /// A page of the rows of all owners.
    pub const fn page(after: i64, limit: u32) -> Self {
        Self {
            after,
            limit,
            owner: None,
        }
    }
}
