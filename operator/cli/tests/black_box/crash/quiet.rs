//! Nothing is under way any more.

use std::time::Duration;

use innkeeper_testkit::patience::until_within;

use super::stored::{Observable, Stored};

/// How long a saga may take to come to rest: a broker misses a dead consumer for ten seconds.
const REST_WITHIN: Duration = Duration::from_mins(1);

/// How many consumer groups a platform has: everybody but the gateway.
const GROUPS: usize = 4;

/// Waits until no booking is pending, every event has left, and every consumer has read all of them; what is stored then.
///
/// The order counts: whoever has read everything has written what came of it, and if that has left, then it is in the log, which has not grown.
pub async fn quiet(platform: &impl Observable) -> Stored {
    until_within(REST_WITHIN, "nothing is under way", async || {
        let read = platform.log().await;
        if read.groups.len() < GROUPS || read.groups.iter().any(|group| *group != read.end) {
            return Err(format!("somebody lags: {read:?}"));
        }
        let stored = platform.stored().await;
        let pending = stored.bookings.iter().find(|row| row.state == "pending");
        if pending.is_some() || stored.unsent > 0 {
            return Err(format!("{pending:?} and {} unsent events", stored.unsent));
        }
        match platform.log().await {
            after if after == read => Ok(stored),
            after => Err(format!("the log grows: {after:?}")),
        }
    })
    .await
}
