//! What the logs within one process share: consumer groups of which one member at a time consumes,
//! wake-ups, and the single partition 0.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use innkeeper_kit::log::{
    AppendError, Appended, Content, Delivery, Log, LogError, NewRecord, Record, Subscription,
};
use tokio::sync::{OwnedMutexGuard, watch};

pub mod offsets;
pub mod tail;

/// Most records in one delivery.
const BATCH_RECORDS: usize = 500;

/// The partition of every record of an embedded log.
pub const PARTITION: i32 = 0;

/// The offsets that a journal holds: from `low` up to but excluding `next`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Offset of the earliest record, or `next` if there is none.
    pub low: i64,
    /// Offset of the record that is appended next.
    pub next: i64,
}

/// Why a commit failed, which all records in it are told.
pub type CommitError = Arc<dyn Error + Send + Sync>;

/// Where an embedded log keeps its records and the offsets of its groups.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Appends records, and returns when all of them are durable.
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), CommitError>;

    /// Reads up to `limit` records from this offset on, in order. Pruned records are missing at the
    /// front.
    async fn read(&self, from: i64, limit: usize) -> Result<Vec<Arc<Record>>, LogError>;

    /// Watches the bounds, which wakes consumers whenever they change.
    fn bounds(&self) -> watch::Receiver<Bounds>;

    /// The offset at which a group continues; `None` if it has never committed.
    fn committed(&self, group: &str) -> Option<i64>;

    /// Sets the offset at which a group continues, and makes it durable soon.
    fn commit(&self, group: &str, next: i64);

    /// Returns once everything that was committed is durable.
    async fn flush(&self) -> Result<(), LogError>;
}

/// An appended record, as consumers get it.
pub fn record_at(offset: i64, record: NewRecord) -> Arc<Record> {
    Arc::new(Record {
        partition: PARTITION,
        offset,
        key: Some(record.key),
        content: Content::Encoded {
            headers: record.headers,
            payload: record.payload,
        },
    })
}

type Seat = Arc<tokio::sync::Mutex<()>>;

/// A journal and the seats of its groups. There is one per log in a process.
#[derive(Clone)]
pub struct Groups {
    journal: Arc<dyn Journal>,
    seats: Arc<Mutex<HashMap<String, Seat>>>,
}

impl Groups {
    /// A journal of which nobody has a seat yet.
    pub fn of(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            seats: Arc::default(),
        }
    }

    /// The log as the services of one group see it.
    pub fn log(&self, group: &str) -> Arc<dyn Log> {
        Arc::new(EmbeddedLog {
            journal: Arc::clone(&self.journal),
            seat: self.seat(group),
            group: group.to_owned(),
        })
    }

    fn seat(&self, group: &str) -> Seat {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(seats.entry(group.to_owned()).or_default())
    }
}

/// The journal as one group sees it.
struct EmbeddedLog {
    journal: Arc<dyn Journal>,
    seat: Seat,
    group: String,
}

#[async_trait]
impl Log for EmbeddedLog {
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        let appended = async {
            let (fit, mut appended) = refuse_too_large(records);
            let (indices, records): (Vec<_>, Vec<_>) = fit.into_iter().unzip();
            let committed = self.journal.append(records).await;
            let result = || committed.clone().map_err(not_now);
            appended.extend(indices.into_iter().map(|index| (index, result())));
            stream::iter(appended)
        };
        stream::once(appended).flatten().boxed()
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        Ok(Box::new(Member {
            bounds: self.journal.bounds(),
            journal: Arc::clone(&self.journal),
            group: self.group.clone(),
            seat: Arc::clone(&self.seat),
            standing: Standing::New,
        }))
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.journal.flush().await
    }
}

/// Separates the records that fit into a log, with their indices, from those that are refused and
/// those behind them.
fn refuse_too_large(records: Vec<NewRecord>) -> (Vec<(usize, NewRecord)>, Vec<Appended>) {
    let mut fit = Vec::with_capacity(records.len());
    let mut refused = Vec::new();
    let mut refused_keys = HashSet::new();
    for (index, record) in records.into_iter().enumerate() {
        if refused_keys.contains(&record.key) {
            refused.push((index, Err(AppendError::BehindAnother)));
        } else if let Err(too_large) = record.check_size() {
            refused.push((index, Err(AppendError::Refused(Box::new(too_large)))));
            refused_keys.insert(record.key);
        } else {
            fit.push((index, record));
        }
    }
    (fit, refused)
}

fn not_now(error: CommitError) -> AppendError {
    AppendError::NotNow(LogError::Unavailable(Box::new(error)))
}

/// A member of a group. The member that holds the seat consumes; the others wait for it.
struct Member {
    journal: Arc<dyn Journal>,
    group: String,
    bounds: watch::Receiver<Bounds>,
    seat: Seat,
    standing: Standing,
}

enum Standing {
    /// Has had no delivery yet.
    New,
    /// Was told that another member holds the seat.
    Waiting,
    /// Holds the seat, and continues reading at this offset.
    Seated {
        _guard: OwnedMutexGuard<()>,
        position: i64,
    },
}

impl Member {
    async fn take_seat(&mut self) -> Delivery {
        let free = Arc::clone(&self.seat).try_lock_owned().ok();
        let guard = match (free, &self.standing) {
            (Some(guard), _) => guard,
            (None, Standing::New) => {
                self.standing = Standing::Waiting;
                return Delivery::Assigned { partitions: 0 };
            }
            (None, _) => Arc::clone(&self.seat).lock_owned().await,
        };
        self.standing = Standing::Seated {
            _guard: guard,
            position: self.committed(),
        };
        Delivery::Assigned { partitions: 1 }
    }

    /// The offset at which the group continues; for a new group that of the earliest record.
    fn committed(&self) -> i64 {
        let committed = self.journal.committed(&self.group);
        committed.unwrap_or_else(|| self.bounds.borrow().low)
    }

    /// Reads a delivery at the position; `None` if there is nothing yet.
    async fn read(&self, position: i64) -> Result<Option<Delivery>, LogError> {
        if self.bounds.borrow().next <= position {
            return Ok(None);
        }
        let records = self.journal.read(position, BATCH_RECORDS).await?;
        let earliest = match records.first() {
            Some(record) => record.offset,
            None => self.bounds.borrow().low,
        };
        if earliest > position {
            return Ok(Some(Delivery::Overtaken {
                partition: PARTITION,
                records: earliest - position,
            }));
        }
        Ok((!records.is_empty()).then_some(Delivery::Records(records)))
    }
}

/// The offset at which to continue after a delivery.
fn position_after(position: i64, delivery: &Delivery) -> i64 {
    match delivery {
        Delivery::Records(records) => next_after(records).unwrap_or(position),
        Delivery::Overtaken { records, .. } => position + records,
        Delivery::Assigned { .. } | Delivery::Expired => position,
    }
}

/// The offset after the last of these records.
fn next_after(records: &[Arc<Record>]) -> Option<i64> {
    records.iter().map(|record| record.offset + 1).max()
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Result<Delivery, LogError> {
        let Standing::Seated { position, .. } = self.standing else {
            return Ok(self.take_seat().await);
        };
        loop {
            self.bounds.mark_unchanged();
            if let Some(delivery) = self.read(position).await? {
                if let Standing::Seated { position, .. } = &mut self.standing {
                    *position = position_after(*position, &delivery);
                }
                return Ok(delivery);
            }
            let changed = self.bounds.changed().await;
            changed.map_err(|closed| LogError::Unavailable(Box::new(closed)))?;
        }
    }

    async fn mark_done(&mut self, records: &[Arc<Record>]) -> Result<(), LogError> {
        if let Some(next) = next_after(records) {
            self.journal.commit(&self.group, next);
        }
        Ok(())
    }

    async fn lag(&mut self) -> Option<i64> {
        if !matches!(self.standing, Standing::Seated { .. }) {
            return Some(0);
        }
        let Bounds { low, next } = *self.bounds.borrow();
        Some(next - self.committed().max(low))
    }

    async fn close(self: Box<Self>) -> Result<(), LogError> {
        self.journal.flush().await
    }
}
