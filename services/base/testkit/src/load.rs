//! How long tests put load on what they test.

use std::time::Duration;

/// The seconds in `INNKEEPER_LOAD_SECONDS`, two minutes otherwise.
#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is no setting of the program"
)]
pub fn length() -> Duration {
    let seconds = std::env::var("INNKEEPER_LOAD_SECONDS").ok();
    Duration::from_secs(seconds.map_or(120, |seconds| seconds.parse().unwrap()))
}
