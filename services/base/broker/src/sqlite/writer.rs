//! The only thread that writes to the log's file: it puts everything that waits into one commit.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use innkeeper_kit::log::{NewRecord, Record};
use nix::fcntl::Flock;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::table;
use crate::Retention;
use crate::embedded::tail::Tail;
use crate::embedded::{Bounds, record_at};

/// How long an offset may wait to share a commit with records.
const OFFSET_DELAY: Duration = Duration::from_millis(100);

/// How often old records are pruned, in milliseconds.
const PRUNE_INTERVAL_MS: i64 = 60_000;

/// Why a write failed. All writes of one commit get the same error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    /// The commit failed.
    #[error("the log's file did not take the records")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// The writer has stopped.
    #[error("the log's writer has stopped")]
    Stopped,
}

type Acknowledge = oneshot::Sender<Result<(), WriteError>>;

/// What waits for the next commit.
#[derive(Default)]
struct Waiting {
    appends: Vec<(Vec<NewRecord>, Acknowledge)>,
    offsets: HashMap<String, i64>,
    offsets_due: Option<Instant>,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to commit, and takes all of it; `None` once the queue is
    /// closed and empty.
    fn take(&self) -> Option<Waiting> {
        let mut waiting = self.lock();
        loop {
            if !waiting.appends.is_empty() || waiting.offsets_are_due() {
                let closed = waiting.closed;
                return Some(std::mem::replace(
                    &mut *waiting,
                    Waiting {
                        closed,
                        ..Waiting::default()
                    },
                ));
            }
            if waiting.closed {
                return None;
            }
            waiting = self.sleep(waiting);
        }
    }

    fn sleep<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let Some(due) = waiting.offsets_due else {
            return self
                .filled
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        };
        let delay = due.saturating_duration_since(Instant::now());
        let woken = self.filled.wait_timeout(waiting, delay);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Waiting {
    fn offsets_are_due(&self) -> bool {
        self.offsets_due
            .is_some_and(|due| self.closed || due <= Instant::now())
    }
}

/// The handle of the writer thread. Dropping it writes what waits and ends the thread.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which holds the lock on the file until it ends.
    pub fn start(
        connection: Connection,
        tail: Arc<Tail>,
        retention: Retention,
        lock: Flock<File>,
    ) -> Self {
        let queue = Arc::new(Queue::default());
        let thread = Thread {
            queue: Arc::clone(&queue),
            bounds: *tail.subscribe().borrow(),
            tail,
            connection,
            next_prune_ms: i64::MIN,
            retention,
        };
        Self {
            queue,
            thread: Some(std::thread::spawn(move || {
                thread.run();
                drop(lock);
            })),
        }
    }

    /// Appends records, and returns when they and every offset that was saved before are durable.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<(), WriteError> {
        let (acknowledge, acknowledged) = oneshot::channel();
        self.queue.lock().appends.push((records, acknowledge));
        self.queue.filled.notify_one();
        acknowledged.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// Saves the offset at which a group continues, with the next commit or soon after.
    pub fn save_offset(&self, group: &str, next: i64) {
        let mut waiting = self.queue.lock();
        waiting.offsets.insert(group.to_owned(), next);
        if waiting.offsets_due.is_none() {
            waiting.offsets_due = Some(Instant::now() + OFFSET_DELAY);
            self.queue.filled.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, its message was printed already.
            let _ = thread.join();
        }
    }
}

struct Thread {
    queue: Arc<Queue>,
    tail: Arc<Tail>,
    connection: Connection,
    bounds: Bounds,
    next_prune_ms: i64,
    retention: Retention,
}

/// The result of a commit.
struct Committed {
    stored: Vec<Arc<Record>>,
    bounds: Bounds,
}

impl Thread {
    fn run(mut self) {
        while let Some(waiting) = self.queue.take() {
            let (batches, acknowledges): (Vec<_>, Vec<_>) = waiting.appends.into_iter().unzip();
            let outcome = self.commit(batches, &waiting.offsets);
            let outcome = outcome.map_err(|error| WriteError::Commit(Arc::new(error)));
            if let Err(error) = &outcome {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "cannot write to the log"
                );
                self.give_back(waiting.offsets);
            }
            let outcome = outcome.map(|committed| self.publish(committed));
            for acknowledge in acknowledges {
                // A caller that has stopped waiting does not need the result.
                let _ = acknowledge.send(outcome.clone());
            }
        }
    }

    fn commit(
        &mut self,
        batches: Vec<Vec<NewRecord>>,
        offsets: &HashMap<String, i64>,
    ) -> rusqlite::Result<Committed> {
        let mut bounds = self.bounds;
        let mut stored = Vec::new();
        let now_ms = self.retention.now_ms();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in batches.into_iter().flatten() {
            if table::insert(&transaction, bounds.next, &record, now_ms)? {
                stored.push(record_at(bounds.next, record));
                bounds.next += 1;
            }
        }
        for (group, next) in offsets {
            table::save_offset(&transaction, group, *next)?;
        }
        if now_ms >= self.next_prune_ms {
            bounds.low = table::prune(&transaction, bounds, self.retention.cutoff_ms())?;
        }
        transaction.commit()?;
        if bounds.low == self.bounds.low && now_ms >= self.next_prune_ms {
            self.next_prune_ms = now_ms + PRUNE_INTERVAL_MS;
        }
        Ok(Committed { stored, bounds })
    }

    fn publish(&mut self, committed: Committed) {
        self.bounds = committed.bounds;
        self.tail.extend(committed.stored, committed.bounds);
    }

    /// Puts offsets that were not written back into the queue, unless newer ones wait already.
    fn give_back(&self, offsets: HashMap<String, i64>) {
        let mut waiting = self.queue.lock();
        if waiting.closed || offsets.is_empty() {
            return;
        }
        for (group, next) in offsets {
            waiting.offsets.entry(group).or_insert(next);
        }
        let due = waiting.offsets_due.take();
        waiting.offsets_due = due.or_else(|| Some(Instant::now() + OFFSET_DELAY));
    }
}
