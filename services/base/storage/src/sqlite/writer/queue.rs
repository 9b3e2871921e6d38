//! What waits for the writer's thread.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use innkeeper_kit::store::StoreError;

use super::work::Work;

/// How many pieces of work go into one commit at most.
const BATCH: usize = 256;
/// How many pieces of work may wait before more are refused.
const CAPACITY: usize = 16_384;
/// How long an offset may wait to share a commit with work.
const OFFSET_DELAY: Duration = Duration::from_millis(100);
/// The pause before offsets that could not be saved are tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The queue before the thread.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

#[derive(Default)]
struct Waiting {
    work: Vec<Box<dyn Work>>,
    offsets: HashMap<String, i64>,
    offsets_due: Option<Instant>,
    closed: bool,
}

/// What the thread has taken for the next commit.
pub struct Taken {
    pub work: Vec<Box<dyn Work>>,
    pub offsets: HashMap<String, i64>,
}

impl Queue {
    /// Adds work, unless the queue is closed or full.
    pub fn add(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        if waiting.work.len() >= CAPACITY {
            let reason = "too much waits to be written";
            return Err(StoreError::Unavailable(reason.into()));
        }
        waiting.work.push(work);
        if waiting.work.len() == 1 {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Saves the offset at which a group continues, with the next commit or soon after.
    pub fn save_offset(&self, group: &str, next: i64) {
        let mut waiting = self.lock();
        waiting.offsets.insert(group.to_owned(), next);
        if waiting.offsets_due.is_none() {
            waiting.offsets_due = Some(Instant::now() + OFFSET_DELAY);
            self.filled.notify_one();
        }
    }

    /// Takes no more work. What was accepted is still done.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Takes no more work, and drops what waits, which tells its callers.
    pub fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.work.clear();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until there is something to commit, and takes it; `None` once the queue is closed and
    /// empty.
    pub fn take(&self) -> Option<Taken> {
        let mut waiting = self.lock();
        loop {
            if !waiting.work.is_empty() || waiting.offsets_are_due() {
                return Some(waiting.take());
            }
            if waiting.closed {
                return None;
            }
            waiting = self.sleep(waiting);
        }
    }

    fn sleep<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let Some(due) = waiting.offsets_due else {
            let woken = self.filled.wait(waiting);
            return woken.unwrap_or_else(PoisonError::into_inner);
        };
        let delay = due.saturating_duration_since(Instant::now());
        let woken = self.filled.wait_timeout(waiting, delay);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Puts offsets that were not saved back, unless newer ones wait already.
    pub fn give_back(&self, offsets: HashMap<String, i64>) {
        let mut waiting = self.lock();
        if waiting.closed || offsets.is_empty() {
            return;
        }
        for (group, next) in offsets {
            waiting.offsets.entry(group).or_insert(next);
        }
        waiting.offsets_due = Some(Instant::now() + RETRY_DELAY);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn offsets_are_due(&self) -> bool {
        self.offsets_due
            .is_some_and(|due| self.closed || due <= Instant::now())
    }

    fn take(&mut self) -> Taken {
        let rest = self.work.split_off(BATCH.min(self.work.len()));
        self.offsets_due = None;
        Taken {
            work: std::mem::replace(&mut self.work, rest),
            offsets: std::mem::take(&mut self.offsets),
        }
    }
}
