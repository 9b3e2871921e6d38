//! The log in memory, for tests.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use innkeeper_kit::log::{Log, LogError, NewRecord, Record};
use tokio::sync::watch;
use uuid::Uuid;

use crate::Retention;
use crate::embedded::offsets::Offsets;
use crate::embedded::tail::Tail;
use crate::embedded::{Bounds, CommitError, Groups, Journal, record_at};

/// A log that is gone with its last handle. Groups, deliveries and retention work as in the SQLite
/// log.
#[derive(Clone)]
pub struct MemoryLog(Groups);

impl MemoryLog {
    /// An empty log with this retention.
    pub fn new(retention: Retention) -> Self {
        Self(Groups::of(Arc::new(MemoryJournal::new(retention))))
    }

    /// The log as the services of one group see it.
    pub fn for_group(&self, group: &str) -> Arc<dyn Log> {
        self.0.log(group)
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new(Retention::default())
    }
}

struct MemoryJournal {
    tail: Tail,
    retention: Retention,
    state: Mutex<State>,
    offsets: Offsets,
}

struct State {
    bounds: Bounds,
    ids: HashSet<Uuid>,
    /// When each record was appended in milliseconds since 1970, oldest first.
    appended_ms: VecDeque<i64>,
}

impl MemoryJournal {
    fn new(retention: Retention) -> Self {
        let bounds = Bounds { low: 0, next: 0 };
        Self {
            tail: Tail::new(bounds, usize::MAX),
            retention,
            state: Mutex::new(State {
                bounds,
                ids: HashSet::new(),
                appended_ms: VecDeque::new(),
            }),
            offsets: Offsets::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, record: NewRecord, now_ms: i64) -> Option<Arc<Record>> {
        self.ids.insert(record.id).then(|| {
            self.appended_ms.push_back(now_ms);
            let offset = self.bounds.next;
            self.bounds.next += 1;
            record_at(offset, record)
        })
    }

    fn prune(&mut self, cutoff_ms: i64) {
        while self.appended_ms.front().is_some_and(|ms| *ms < cutoff_ms) {
            self.appended_ms.pop_front();
            self.bounds.low += 1;
        }
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), CommitError> {
        let now_ms = self.retention.now_ms();
        let mut state = self.state();
        let stored = records.into_iter();
        let stored = stored
            .filter_map(|record| state.append(record, now_ms))
            .collect();
        state.prune(self.retention.cutoff_ms());
        self.tail.extend(stored, state.bounds);
        Ok(())
    }

    async fn read(&self, from: i64, limit: usize) -> Result<Vec<Arc<Record>>, LogError> {
        let from = from.max(self.state().bounds.low);
        Ok(self.tail.read(from, limit).unwrap_or_default())
    }

    fn bounds(&self) -> watch::Receiver<Bounds> {
        self.tail.subscribe()
    }

    fn committed(&self, group: &str) -> Option<i64> {
        self.offsets.get(group)
    }

    fn commit(&self, group: &str, next: i64) {
        self.offsets.advance(group, next, |_| {});
    }

    async fn flush(&self) -> Result<(), LogError> {
        Ok(())
    }
}
