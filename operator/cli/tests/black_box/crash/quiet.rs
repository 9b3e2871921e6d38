//! Waits until nothing is under way any more.

use std::time::Duration;

use innkeeper_testkit::patience::until_within;

use super::stored::{Observable, Stored};

/// How long this may take: a broker only notices after ten seconds that a consumer is dead.
const REST_WITHIN: Duration = Duration::from_mins(1);

/// How many consumer groups a platform has: one per service except the gateway.
const GROUPS: usize = 4;

/// Waits until no booking is pending, every event is published, and every consumer has read all of
/// them; returns what is stored then.
///
/// The order of the checks matters: a consumer that has read everything has written its effects,
/// and if the events of those are published, they are in the log, which must not have grown.
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
