//! Waiting for what will be, with a deadline instead of a guess.

use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until nothing is wrong any more, and fails with what still is.
pub async fn until<T>(within: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(wrong) if Instant::now() > deadline => panic!("not in {within:?}: {wrong}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
