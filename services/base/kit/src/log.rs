//! The port to the log: append and consume, at least once, in order per key.

use async_trait::async_trait;
use uuid::Uuid;

/// A record before it is appended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewRecord {
    /// Unique id; appending the same id again may store it again, and consumers drop it.
    pub id: Uuid,
    /// Records of one key keep their order.
    pub key: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// A record as it was consumed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Its partition; 0 where a log has only one.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its key, if it has one that is text.
    pub key: Option<String>,
    /// Names and values; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// Why a log did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log cannot be reached or did not answer in time; worth another try.
    #[error("the log is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The topic does not exist.
    #[error("topic {topic} does not exist")]
    NoTopic {
        /// Its name.
        topic: String,
    },
}

/// What a consumer is told.
#[derive(Debug)]
pub enum Delivery {
    /// Records, in order per partition; never empty.
    Records(Vec<Record>),
    /// The consumer's partitions changed; `partitions` is how many it holds now, which may be none.
    Assigned {
        /// How many.
        partitions: usize,
    },
    /// Records were deleted by retention before this group had read them; consumption goes on at the earliest that is left.
    Overtaken {
        /// Their partition.
        partition: i32,
        /// How many, as far as it is known.
        records: i64,
    },
}

/// A log that services append to and consume from.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends records and returns once all of them are durable. After an error any of them may be in the log.
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), LogError>;

    /// Joins the service's consumer group; a new group begins at the earliest record.
    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError>;

    /// Whether the log can be reached, within a second or so.
    async fn ping(&self) -> Result<(), LogError>;
}

/// A member of a consumer group.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for something to happen. Safe to drop while it waits: nothing is lost then.
    async fn next(&mut self) -> Result<Delivery, LogError>;

    /// Says that the effects of these records are durable: the group never begins before them again, save for those of partitions that have
    /// meanwhile been given to another member.
    async fn mark_done(&mut self, records: &[Record]) -> Result<(), LogError>;

    /// How many records of the member's partitions are not yet done, if it is known.
    async fn lag(&mut self) -> Option<i64>;

    /// Commits what is done and leaves the group.
    async fn close(self: Box<Self>) -> Result<(), LogError>;
}
