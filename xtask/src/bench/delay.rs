//! Measures how long after its 201 a reservation appears in the view.

use std::error::Error;
use std::time::{Duration, Instant};

use super::platform::Platform;

/// How long a row may take to appear.
const WITHIN: Duration = Duration::from_secs(10);

/// Quantiles of the delays.
pub struct Delays {
    /// The delay that half of the bookings did not exceed.
    pub median: Duration,
    /// The delay that 99 of 100 bookings did not exceed.
    pub p99: Duration,
}

/// Follows bookings, one after another, from the 201 to the row of the view.
pub fn measure_until_view(platform: &Platform, bookings: usize) -> Result<Delays, Box<dyn Error>> {
    let mut delays = Vec::with_capacity(bookings);
    let mut last_row = 0;
    for _ in 0..bookings {
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
        median: at(50).ok_or("no bookings")?,
        p99: at(99).ok_or("no bookings")?,
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
