//! A clock that a test sets by hand.

use std::sync::Mutex;

use innkeeper_kit::Clock;
use jiff::{SignedDuration, Timestamp};

/// A clock that only moves when a test advances it. It starts at the beginning of 1970.
#[derive(Debug, Default)]
pub struct MockClock(Mutex<Timestamp>);

impl MockClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("no holder of this lock panics");
        *now += by;
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no holder of this lock panics")
    }
}
