//! Waiting for something with a deadline, by asking again and again.

use std::thread;
use std::time::{Duration, Instant};

/// How long to pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What was waited for did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("{what} was not true within {} s: {last}", .within.as_secs())]
pub struct Overdue {
    /// What was waited for.
    pub what: String,
    /// How long it was waited for.
    pub within: Duration,
    /// What the last look saw.
    pub last: String,
}

/// Looks until `look` returns a value; what it says meanwhile is in the error when time is up.
pub fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> Result<T, Overdue> {
    let end = Instant::now() + within;
    loop {
        match look() {
            Ok(value) => return Ok(value),
            Err(last) if Instant::now() >= end => {
                return Err(Overdue {
                    what: what.to_owned(),
                    within,
                    last,
                });
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
