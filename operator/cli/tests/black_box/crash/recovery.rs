//! A process that dies during recovery does not delay the bookings that it had claimed.

use std::time::Duration;

use innkeeper_testkit::patience::until_within;

use crate::http::{post, with};
use crate::platform::{Platform, kims_wish};

/// How many bookings are pending.
const BOOKINGS: usize = 12;

/// Longer than it takes to make the bookings, so that the process that dies recovers all of them.
const PENDING_TIMEOUT: &str = "5s";

/// The time of a dead process's claim, and then of one or two rounds of recovery.
const SETTLED_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_death_amid_a_recovery_holds_up_no_booking_for_long() {
    let rentcar = Platform::rentcar().with_pending_timeout(PENDING_TIMEOUT);
    let innkeeper = rentcar.ready(&["--without", "pay"]).await;
    for number in 0..BOOKINGS {
        let wish = post("/reservations", &kims_wish());
        let wish = with(wish, "idempotency-key", &number.to_string());
        assert_eq!(rentcar.send(wish).await.status, 503);
    }
    innkeeper.stop().await;

    let mut doomed = rentcar.start(&["--crash-after", "recovering:1"]);
    doomed.killed().await;
    let innkeeper = rentcar.ready(&[]).await;

    until_within(SETTLED_WITHIN, "no booking is pending", async || {
        let reservations = rentcar.items("/reservations").await;
        let pending = reservations
            .iter()
            .filter(|reservation| reservation["status"] == "pending");
        match pending.count() {
            0 => Ok(()),
            pending => Err(format!("{pending} are pending")),
        }
    })
    .await;
    assert_eq!(rentcar.items("/reservations").await.len(), BOOKINGS);
    innkeeper.stop().await;
}
