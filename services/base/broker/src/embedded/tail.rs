//! The newest records, kept in memory for consumers that are not far behind.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use innkeeper_kit::log::Record;
use tokio::sync::watch;

use super::Bounds;

/// The newest records, without gaps, and the bounds of the whole journal.
pub struct Tail {
    records: RwLock<VecDeque<Arc<Record>>>,
    capacity: usize,
    bounds: watch::Sender<Bounds>,
}

impl Tail {
    /// An empty tail of a journal with these bounds; it keeps up to `capacity` records.
    pub fn new(bounds: Bounds, capacity: usize) -> Self {
        Self {
            records: RwLock::default(),
            capacity,
            bounds: watch::Sender::new(bounds),
        }
    }

    /// Adds records that were just appended, sets the new bounds, and wakes the consumers.
    pub fn extend(&self, appended: Vec<Arc<Record>>, bounds: Bounds) {
        {
            let mut records = self.write();
            records.extend(appended);
            let excess = records.len().saturating_sub(self.capacity);
            let pruned = records.partition_point(|record| record.offset < bounds.low);
            records.drain(..excess.max(pruned));
        }
        self.bounds.send_if_modified(|current| {
            let changed = *current != bounds;
            *current = bounds;
            changed
        });
    }

    /// Records from this offset on; `None` if some of them are no longer in memory.
    pub fn read(&self, from: i64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let records = self.read_lock();
        let first = records.front()?.offset;
        let skip = usize::try_from(from - first).ok()?;
        Some(records.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Tells when the bounds of the tail change.
    pub fn subscribe(&self) -> watch::Receiver<Bounds> {
        self.bounds.subscribe()
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, VecDeque<Arc<Record>>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, VecDeque<Arc<Record>>> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }
}
