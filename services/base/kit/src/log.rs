//! The port to the log: append and consume records, at least once, in order per key.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use innkeeper_contracts::Event;
use innkeeper_contracts::event::MAX_EVENT_BYTES;
use uuid::Uuid;

pub use innkeeper_contracts::event::Header;

use crate::store::OutboxEvent;
use crate::transport::Transport;

/// The largest record that a log takes, in bytes: its key, headers and payload together.
pub const MAX_RECORD_BYTES: usize = 1_000_000;

const _: () = assert!(
    MAX_EVENT_BYTES <= MAX_RECORD_BYTES,
    "every event fits into a record"
);

/// A record that is to be appended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewRecord {
    /// Unique id. A log may store an id that is appended twice twice; consumers drop the
    /// repetition.
    pub id: Uuid,
    /// The key, usually a correlation id. Records with the same key keep their order.
    pub key: String,
    /// Names and values of the headers, in order.
    pub headers: Vec<Header>,
    /// Payload of the record in bytes; JSON text if it is an event.
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
    /// The headers and payload of the record, or the event that they encode.
    pub content: Content,
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// What is in the log.
    Encoded {
        /// Names and values of the headers; values that are not UTF-8 are left out.
        headers: Vec<Header>,
        /// Payload of the record in bytes; not always JSON, as anybody may write to a topic.
        payload: Vec<u8>,
    },
    /// The event that is in the log, if this process has appended it: its consumers need not decode
    /// it.
    Event(Arc<Event>),
}

impl Content {
    /// Names and values of the headers.
    pub fn headers(&self) -> Cow<'_, [Header]> {
        match self {
            Self::Encoded { headers, .. } => headers.into(),
            Self::Event(event) => event.headers().into(),
        }
    }

    /// The payload in bytes; an event is turned into its JSON text.
    pub fn payload(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Encoded { payload, .. } => payload.into(),
            Self::Event(event) => event.payload().into_bytes().into(),
        }
    }
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

/// Why a record was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The log does not take the record now; a later attempt may succeed. After a time-out the
    /// record may be in the log all the same.
    #[error(transparent)]
    NotNow(#[from] LogError),
    /// The log never takes this record as it is, for example because it is too large.
    #[error("the log refuses the record")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The record was not sent, because an earlier one with the same key was not appended.
    #[error("an earlier record with the same key is not in the log")]
    BehindAnother,
}

/// What became of one record of an append: its index in the append, and whether the log has it.
pub type Appended = (usize, Result<(), AppendError>);

/// Why the log refuses a record that is larger than [`MAX_RECORD_BYTES`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it has {bytes} bytes, and a log takes at most {MAX_RECORD_BYTES}")]
pub struct TooLarge {
    /// Size of its key, headers and payload, in bytes.
    pub bytes: usize,
}

impl From<OutboxEvent> for NewRecord {
    fn from(event: OutboxEvent) -> Self {
        Self {
            id: event.id,
            key: event.aggregate_id.to_string(),
            headers: event.headers,
            payload: event.payload.into_bytes(),
        }
    }
}

impl NewRecord {
    /// Checks that the record is not too large for any log.
    pub fn check_size(&self) -> Result<(), TooLarge> {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        let bytes = self.key.len() + headers + self.payload.len();
        if bytes > MAX_RECORD_BYTES {
            return Err(TooLarge { bytes });
        }
        Ok(())
    }
}

/// What a subscription hands to its consumer.
#[derive(Debug)]
pub enum Delivery {
    /// Records, in order per partition; never empty. Consumers in one process share them.
    Records(Vec<Arc<Record>>),
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
    /// The subscription is to be closed and made anew, because its credentials have changed.
    Expired,
}

/// A partition of a log. While one is away, the others take records.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Partition {
    /// Its number, from 0.
    pub number: i32,
    /// How many partitions the log has, as far as that is known.
    pub count: i32,
}

impl Partition {
    /// The partition of a log that has no other, or of which nothing is known.
    pub const ONLY: Self = Self {
        number: 0,
        count: 1,
    };
}

/// A log that services append to and consume from.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends records, and yields what became of each one as soon as that is known, in any order.
    /// `Ok` means that the record is durable. If a record is not appended, neither are the later
    /// ones with the same key. Nothing is sent before the stream is polled, and what became of
    /// records that were not yielded when it is dropped is unknown.
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended>;

    /// The partition that takes the records of a key.
    fn partition_of(&self, _key: &str) -> Partition {
        Partition::ONLY
    }

    /// Joins the service's consumer group. A new group begins at the earliest record.
    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError>;

    /// Checks within about a second whether the log can be reached.
    async fn ping(&self) -> Result<(), LogError>;

    /// How its connections are protected; `None` if it has none.
    fn transport(&self) -> Option<Transport> {
        None
    }

    /// Finds out when the certificate of the servers ends, if there is one and it is time.
    async fn look_at_certificate(&self) {}
}

/// The membership of one consumer in its group.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery. The future can be dropped while it waits; nothing is lost.
    async fn next(&mut self) -> Result<Delivery, LogError>;

    /// Reports that the effects of these records are durable, so that the group never reads them
    /// again. Records of partitions that now belong to another member are ignored.
    async fn mark_done(&mut self, records: &[Arc<Record>]) -> Result<(), LogError>;

    /// How many records of the member's partitions are not done yet; `None` while that is unknown.
    async fn lag(&mut self) -> Option<i64>;

    /// Commits the offsets of what is done, and leaves the group.
    async fn close(self: Box<Self>) -> Result<(), LogError>;
}
