//! A service of its own process on an SQLite file of its own, whose relay sends its events to
//! another file. The process dies while it relays.

use std::fs;
use std::path::Path;
use std::time::Duration;

use innkeeper_testkit::patience::until;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

use crate::http::{get, post, send, with};
use crate::platform::free_port;
use crate::process::Innkeeper;

/// How many bookings are made while the process dies, and after it.
const BOOKINGS: usize = 12;

struct Site {
    folder: TempDir,
    port: u16,
    admin: u16,
}

impl Site {
    /// A booking service that needs no payment.
    fn make() -> Self {
        let settings = json!({
            "namespace": "default", "platform": "rentcar", "service": "reservation", "path": "/reservations",
            "component": { "booking": { "pendingTimeoutSeconds": 3 } },
            "database": { "sqlite": { "file": "reservation.db" } },
            "log": { "sqlite": { "file": "log.db", "topic": "rentcar", "group": "reservation" } },
        });
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
        Self {
            folder,
            port: free_port(),
            admin: free_port(),
        }
    }

    async fn start(&self, crash_point: Option<&str>) -> Innkeeper {
        let listen = format!("127.0.0.1:{}", self.port);
        let listen_admin = format!("127.0.0.1:{}", self.admin);
        let mut arguments = vec!["serve", "booking", "--settings", "settings.json"];
        arguments.extend(["--listen", &listen, "--listen-admin", &listen_admin]);
        arguments.extend(["--leave-for", "0"]);
        arguments.extend(crash_point.iter().flat_map(|it| ["--crash-after", it]));
        let started = Innkeeper::spawn(self.folder.path(), "serve", &arguments);
        until("it serves", async || {
            let answer = send(self.port, get("/reservations")).await;
            answer.map(drop).map_err(|error| format!("{error:?}"))
        })
        .await;
        started
    }

    /// Makes bookings, each with a key until it has its answer.
    async fn book(&self, keys: std::ops::Range<usize>) {
        for key in keys {
            until("an answer", async || {
                let wish = post("/reservations", &json!({ "customerId": "kim" }));
                let wish = with(wish, "idempotency-key", &key.to_string());
                match send(self.port, wish).await {
                    Ok(answer) if answer.status == 201 => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
        }
    }

    fn number(&self, file: &str, sql: &str) -> i64 {
        let file = open(&self.folder.path().join(file));
        file.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn open(file: &Path) -> Connection {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    file.busy_timeout(Duration::from_secs(5)).unwrap();
    file
}

async fn survives(crash_point: &str) {
    let site = Site::make();
    let mut doomed = site.start(Some(crash_point)).await;
    let death = async {
        doomed.killed().await;
        site.start(None).await
    };
    let ((), innkeeper) = tokio::join!(site.book(0..BOOKINGS), death);
    site.book(BOOKINGS..2 * BOOKINGS).await;

    until("the outbox is empty", async || {
        let waiting = site.number("reservation.db", "SELECT count(*) FROM outbox");
        (waiting == 0).then_some(()).ok_or(format!("{waiting}"))
    })
    .await;
    let made = i64::try_from(2 * BOOKINGS).unwrap();
    let confirmed = "SELECT count(*) FROM rows WHERE state = 'confirmed'";
    assert_eq!(site.number("reservation.db", confirmed), made);
    let told = "SELECT count(DISTINCT key) FROM records";
    assert_eq!(site.number("log.db", told), made);
    let records = "SELECT count(*) FROM records";
    assert_eq!(site.number("log.db", records), made, "each is told once");
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_death_before_events_are_appended_loses_and_doubles_nothing() {
    survives("outbox-sending:3").await;
}

#[tokio::test]
async fn a_death_after_events_are_appended_loses_and_doubles_nothing() {
    survives("log-appended:4").await;
}
