//! How long after its 201 a reservation stands in the view.

use std::error::Error;
use std::time::{Duration, Instant};

use super::platform::Platform;

/// How long a row may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The delays of a number of sagas.
pub struct Delays {
    /// Half of them took no longer.
    pub median: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

/// Follows sagas, one after another, from the 201 to the row with the confirmed status.
pub fn measure_until_view(platform: &Platform, sagas: usize) -> Result<Delays, Box<dyn Error>> {
    let mut delays = Vec::with_capacity(sagas);
    let mut last_row = 0;
    for _ in 0..sagas {
        let id = platform.reserve()?;
        let answered = Instant::now();
        last_row = wait_for_row(platform, last_row, id, answered)?;
        delays.push(answered.elapsed());
    }
    delays.sort_unstable();
    let at = |share: usize| {
        delays
            .get((delays.len() * share / 100).min(delays.len().saturating_sub(1)))
            .copied()
    };
    Ok(Delays {
        median: at(50).ok_or("no sagas")?,
        p99: at(99).ok_or("no sagas")?,
    })
}

/// Waits for the row of a reservation, and returns the row's id.
fn wait_for_row(
    platform: &Platform,
    after: i64,
    id: i64,
    since: Instant,
) -> Result<i64, Box<dyn Error>> {
    while since.elapsed() < WITHIN {
        let rows = platform.fetch_view_after(after)?;
        if let Some(row) = rows.iter().find(|row| row["reservationId"] == id) {
            return row["id"].as_i64().ok_or_else(|| "the row has no id".into());
        }
    }
    Err(format!("reservation {id} is not in the view after {WITHIN:?}").into())
}
