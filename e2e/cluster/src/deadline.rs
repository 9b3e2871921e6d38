//! Waits for something by polling, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long to pause between two polls.
const PAUSE: Duration = Duration::from_millis(50);

/// Something did not happen in time.
#[derive(Debug, thiserror::Error)]
#[error("{what} was not true within {} s: {last}", .within.as_secs())]
pub struct Overdue {
    /// What was waited for.
    pub what: String,
    /// How long it was waited for.
    pub within: Duration,
    /// The result of the last poll.
    pub last: String,
}

/// Polls `look` until it returns a value. After the deadline the error contains what it returned
/// last.
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
