//! An unavailable service is an outage and not a refusal: nothing is decided, no event is raised,
//! and the client may try again.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::http::{post, with};
use crate::platform::{Platform, kims_wish};

/// Twice the time that the example's calls to its payment service may take, for a busy machine.
const ANSWERED_WITHIN: Duration = Duration::from_millis(2 * 610);

/// How many events there are in the log.
fn events(rentcar: &Platform) -> i64 {
    let file = rentcar.data().join("platform.1.db");
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count = "SELECT count(*) FROM records";
    file.query_row(count, [], |columns| columns.get(0)).unwrap()
}

#[tokio::test]
async fn without_payments_a_reservation_stays_pending_until_they_are_back() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&["--without", "pay"]).await;
    let kept = || {
        with(
            post("/reservations", &kims_wish()),
            "idempotency-key",
            "kims",
        )
    };

    let asked = Instant::now();
    let refused = rentcar.send(kept()).await;
    let took = asked.elapsed();

    assert_eq!(
        (refused.status, refused.header("content-type")),
        (503, "application/problem+json")
    );
    let problem = refused.json();
    assert_eq!(
        (&problem["status"], &problem["service"]),
        (&json!(503), &json!("pay"))
    );
    assert!(problem["title"].is_string(), "{problem}");
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!(seconds > 0);
    assert!(took < ANSWERED_WITHIN, "{took:?}");
    assert_eq!(
        rentcar.get("/reservations/1").await.json()["status"],
        "pending"
    );
    innkeeper.stop().await;
    assert_eq!(events(&rentcar), 0, "nobody is told");

    let innkeeper = rentcar.ready(&[]).await;
    let reserved = rentcar.send(kept()).await;
    assert_eq!(
        (reserved.status, reserved.header("location")),
        (201, "/reservations/1")
    );
    innkeeper.stop().await;
}
