//! Waiting in tests, with a deadline instead of fixed sleeps. A test that waits in vain reports
//! what it waited for and what it saw last.

use std::fmt::Debug;
use std::time::Duration;

use tokio::sync::watch;

/// How long anything may take before a test fails, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Calls `look` until it succeeds, and returns its value. A call that never ends is cut off at the
/// deadline.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    until_within(PATIENCE, what, look).await
}

/// The same with another deadline.
pub async fn until_within<T>(
    within: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let mut last = "nothing".to_owned();
    let looking = async {
        loop {
            match look().await {
                Ok(seen) => return seen,
                Err(wrong) => last = wrong,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let seen = tokio::time::timeout(within, looking).await;
    seen.unwrap_or_else(|_| panic!("{what}: not within {within:?}; seen last: {last}"))
}

/// Waits until a watched value satisfies a condition.
pub async fn until_watched<T: Debug>(
    what: &str,
    watched: &watch::Sender<T>,
    is_so: impl FnMut(&T) -> bool,
) {
    let mut watching = watched.subscribe();
    let waited = tokio::time::timeout(PATIENCE, watching.wait_for(is_so)).await;
    assert!(
        waited.is_ok(),
        "{what}: not within {PATIENCE:?}; seen last: {:?}",
        watched.borrow()
    );
}

/// Waits for a future with the usual deadline, and returns its value.
pub async fn in_time<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(PATIENCE, awaited).await;
    came.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "a rent: not within 20ms; seen last: no rents")]
    async fn a_wait_in_vain_reports_its_purpose_and_what_was_seen_last() {
        let within = Duration::from_millis(20);
        until_within::<()>(within, "a rent", async || Err("no rents".to_owned())).await;
    }

    #[tokio::test]
    #[should_panic(expected = "a rent: not within 20ms; seen last: nothing")]
    async fn a_look_that_never_ends_is_cut_off() {
        let within = Duration::from_millis(20);
        until_within::<()>(within, "a rent", async || std::future::pending().await).await;
    }
}
