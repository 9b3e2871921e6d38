//! The port to the log: append and consume records, at least once, in order per key.

use async_trait::async_trait;
use uuid::Uuid;

/// A record that is to be appended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewRecord {
    /// Unique id. A log may store an id that is appended twice twice; consumers drop the
    /// repetition.
    pub id: Uuid,
    /// The key, usually a correlation id. Records with the same key keep their order.
    pub key: String,
    /// Names and values of the headers, in order.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// A record as it was consumed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The partition; 0 if the log has only one.
    pub partition: i32,
    /// The offset within the partition, which grows from record to record.
    pub offset: i64,
    /// The key; `None` if there is none or it is not UTF-8.
    pub key: Option<String>,
    /// Names and values of the headers; values that are not UTF-8 are left out.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Why an operation on the log failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log cannot be reached or did not answer in time. A later attempt may succeed.
    #[error("the log is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The topic does not exist.
    #[error("topic {topic} does not exist")]
    NoTopic {
        /// Name of the topic.
        topic: String,
    },
}

/// What a subscription hands to its consumer.
#[derive(Debug)]
pub enum Delivery {
    /// Records, in order per partition; never empty.
    Records(Vec<Record>),
    /// The assignment of partitions has changed.
    Assigned {
        /// How many partitions the consumer holds now; may be 0.
        partitions: usize,
    },
    /// Retention deleted records before the group had read them. Consumption continues at the
    /// earliest record that is left.
    Overtaken {
        /// The partition of the deleted records.
        partition: i32,
        /// How many records were lost, as far as that is known.
        records: i64,
    },
}

/// A log that services append to and consume from.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends records and returns once all of them are durable. After an error, any of them may be
    /// in the log.
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), LogError>;

    /// Joins the service's consumer group. A new group begins at the earliest record.
    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError>;

    /// Checks within about a second whether the log can be reached.
    async fn ping(&self) -> Result<(), LogError>;
}

/// The membership of one consumer in its group.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery. The future can be dropped while it waits; nothing is lost.
    async fn next(&mut self) -> Result<Delivery, LogError>;

    /// Reports that the effects of these records are durable, so that the group never reads them
    /// again. Records of partitions that now belong to another member are ignored.
    async fn mark_done(&mut self, records: &[Record]) -> Result<(), LogError>;

    /// How many records of the member's partitions are not done yet; `None` while that is unknown.
    async fn lag(&mut self) -> Option<i64>;

    /// Commits the offsets of what is done, and leaves the group.
    async fn close(self: Box<Self>) -> Result<(), LogError>;
}
