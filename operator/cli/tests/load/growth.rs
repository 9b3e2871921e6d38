//! Load on a platform in one process, after which nothing is left over and the file has grown by no
//! more than its bookings.

use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use innkeeper_testkit::load;
use innkeeper_testkit::patience::until_within;
use rusqlite::{Connection, OpenFlags};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::http::{post, with};
use crate::platform::{Platform, kims_wish};

/// How many clients book at a time, and how many of these send idempotency keys.
const CLIENTS: usize = 16;
const CLIENTS_WITH_KEYS: usize = 8;

/// How much the file may grow for each booking, in bytes.
const GROWTH: i64 = 2_500;

/// How soon after the load every event has had its effect.
const IDLE_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_leaves_nothing_over_and_the_file_grows_by_its_bookings() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let file = File::of(&rentcar);

    let first = book_for(&rentcar, load::length() / 2).await;
    until_idle(&file).await;
    let half = file.bytes();
    let second = book_for(&rentcar, load::length() / 2).await;
    until_idle(&file).await;

    let growth = (file.bytes() - half) / second.bookings;
    let bookings = first.bookings + second.bookings;
    println!("{bookings} bookings, {growth} bytes each in the second half");
    assert!(growth <= GROWTH, "{growth} bytes for each booking");
    let confirmed = r#"SELECT count(*) FROM "reservation.rows" WHERE state = 'confirmed'"#;
    assert_eq!(file.number(confirmed), bookings);
    assert_eq!(
        file.number(r#"SELECT count(*) FROM "myreservation.rows""#),
        bookings
    );
    assert_eq!(file.number("SELECT count(*) FROM records"), 2 * bookings);
    // A payment hears of the booking, and the view of both.
    assert_eq!(file.number(r#"SELECT count(*) FROM "pay.inbox""#), bookings);
    assert_eq!(
        file.number(r#"SELECT count(*) FROM "myreservation.inbox""#),
        2 * bookings
    );
    for nothing in ["reservation.outbox", "pay.outbox"] {
        let count = format!(r#"SELECT count(*) FROM "{nothing}""#);
        assert_eq!(file.number(&count), 0, "{nothing}");
    }
    let keys = r#"SELECT count(*) FROM "reservation.idempotency_keys""#;
    assert_eq!(file.number(keys), first.with_key + second.with_key);
    innkeeper.stop().await;
}

/// How many bookings were made.
struct Booked {
    bookings: i64,
    with_key: i64,
}

/// Lets all clients book, each on a connection of its own.
async fn book_for(rentcar: &Platform, length: Duration) -> Booked {
    let until = Instant::now() + length;
    let has_key = |client| client < CLIENTS_WITH_KEYS;
    let clients = (0..CLIENTS).map(|client| book_until(rentcar.gateway(), has_key(client), until));
    let booked = join_all(clients).await;
    Booked {
        with_key: booked[..CLIENTS_WITH_KEYS].iter().sum(),
        bookings: booked.into_iter().sum(),
    }
}

async fn book_until(port: u16, has_key: bool, until: Instant) -> i64 {
    let mut made = 0;
    while Instant::now() < until {
        made += book_on_one_connection(port, has_key, until).await;
    }
    made
}

/// Books until the server closes the connection, which it does with one that is old enough.
async fn book_on_one_connection(port: u16, has_key: bool, until: Instant) -> i64 {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let booking = async move {
        let mut made = 0;
        while Instant::now() < until && sender.ready().await.is_ok() {
            let mut wish = with(post("/reservations", &kims_wish()), "host", "localhost");
            if has_key {
                wish = with(wish, "idempotency-key", &Uuid::now_v7().to_string());
            }
            let answer = sender.send_request(wish).await.unwrap();
            assert_eq!(answer.status(), 201);
            answer.into_body().collect().await.unwrap();
            made += 1;
        }
        made
    };
    let (made, ended) = join(booking, connection).await;
    ended.unwrap();
    made
}

/// Waits until every group has read everything.
async fn until_idle(file: &File) {
    until_within(IDLE_WITHIN, "every group has read everything", async || {
        let end = file.number("SELECT max(record_offset) + 1 FROM records");
        let slowest = file.number("SELECT min(next_offset) FROM offsets");
        let after = file.number("SELECT max(record_offset) + 1 FROM records");
        let is_idle = slowest == end && after == end;
        is_idle.then_some(()).ok_or(format!("{slowest} of {after}"))
    })
    .await;
}

/// The file of a platform, read from outside.
struct File(Connection);

impl File {
    fn of(rentcar: &Platform) -> Self {
        let file = rentcar.data().join("platform.1.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(file, flags).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        Self(connection)
    }

    fn number(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Its size with what its write-ahead log holds of it, which is bounded by itself.
    fn bytes(&self) -> i64 {
        self.number("PRAGMA page_count") * self.number("PRAGMA page_size")
    }
}
