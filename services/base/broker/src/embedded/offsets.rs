//! The offsets at which the groups of a journal continue.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The offset at which each group continues.
#[derive(Default)]
pub struct Offsets(Mutex<HashMap<String, i64>>);

impl Offsets {
    /// The offsets that a journal has stored.
    pub fn of(stored: HashMap<String, i64>) -> Self {
        Self(Mutex::new(stored))
    }

    /// The offset of a group; `None` if it has never committed.
    pub fn get(&self, group: &str) -> Option<i64> {
        self.lock().get(group).copied()
    }

    /// Moves a group on, but never back, and saves where it is then. One call saves after another.
    pub fn advance(&self, group: &str, next: i64, save: impl FnOnce(i64)) {
        let mut offsets = self.lock();
        let offset = offsets.entry(group.to_owned()).or_insert(next);
        *offset = next.max(*offset);
        save(*offset);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
