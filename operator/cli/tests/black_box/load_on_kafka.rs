//! Load on services in processes of their own, on a real Kafka and a real PostgreSQL. The load on
//! `innkeeper dev` is a test program of its own. `INNKEEPER_LOAD_SECONDS` sets its length, two
//! minutes otherwise.

use std::time::Instant;

use futures::future::join_all;
use innkeeper_testkit::load;

use crate::crash::Site;
use crate::platform::kims_wish;

const CLIENTS: usize = 4;

#[tokio::test]
async fn load_ends_with_empty_outboxes_and_every_event_had_its_effect() {
    let site = Site::make().await;
    let processes = site.start_all();
    site.listens().await;
    let end = Instant::now() + load::length();
    let client = async || {
        let mut booked = 0;
        while Instant::now() < end {
            let answer = site.rentcar().post("/reservations", &kims_wish()).await;
            // On a busy machine payment may not answer in time; then nobody is told that it holds.
            assert!(matches!(answer.status, 201 | 503), "{}", answer.text);
            booked += usize::from(answer.status == 201);
        }
        booked
    };
    let booked: Vec<usize> = join_all((0..CLIENTS).map(|_| client())).await;
    let booked: usize = booked.into_iter().sum();
    let stored = site.quiet().await;

    eprintln!("{booked} bookings");
    assert!(booked > 0);
    assert_eq!((stored.unsent, stored.dead_letters), (0, 0));
    let confirmed = stored.bookings.iter().filter(|it| it.state == "confirmed");
    assert_eq!(confirmed.count(), booked);
    let authorized = stored.payments.iter().filter(|it| it.is_live());
    assert_eq!(authorized.count(), booked);
    for process in processes {
        process.stop().await;
    }
}
