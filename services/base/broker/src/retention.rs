//! How long an embedded log keeps records.

use std::sync::Arc;

use innkeeper_kit::Clock;
use innkeeper_kit::clock::SystemClock;
use jiff::SignedDuration;

const DEFAULT_HOURS: i64 = 7 * 24;

/// How long an embedded log keeps records, and by which clock. The default is seven days by the
/// machine's clock, as in Kafka.
#[derive(Clone)]
pub struct Retention {
    keep: SignedDuration,
    clock: Arc<dyn Clock>,
}

impl Retention {
    /// Keeps records for this long after they were appended, by this clock.
    pub const fn of(keep: SignedDuration, clock: Arc<dyn Clock>) -> Self {
        Self { keep, clock }
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The present instant in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Records that were appended before this instant, in milliseconds since 1970, may be deleted.
    pub fn cutoff_ms(&self) -> i64 {
        let keep_ms = i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX);
        self.now_ms().saturating_sub(keep_ms)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::of(
            SignedDuration::from_hours(DEFAULT_HOURS),
            Arc::new(SystemClock),
        )
    }
}
