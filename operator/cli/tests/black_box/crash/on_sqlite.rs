//! All services in one process on one SQLite file. The process dies twice and is started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::join;
use rusqlite::{Connection, OpenFlags, Row as Columns};
use uuid::Uuid;

use super::clients::{Doors, Manner, Saga, book};
use super::quiet::quiet;
use super::stored::{
    BOOKINGS, DEAD_LETTERS, FULFILLMENTS, KEYS, Key, Observable, PAYMENTS, Progress, ROWS, Row,
    Stored, VIEW,
};
use super::{audit, replay, view};
use crate::platform::Platform;
use crate::process::Innkeeper;

/// How many reservations each client makes before and during the crashes, and after them.
const WISHES_EACH: usize = 7;
const WISHES_AFTER: usize = 1;

/// Longer than a dead process's claim, so that a client that retries can resume its booking.
const PENDING_TIMEOUT: &str = "3s";

/// A death at the given passing of each crash point, and another one after the restart.
macro_rules! deaths {
    ($name:ident, $manner:expr) => {
        mod $name {
            use super::{Manner, survives};

            const MANNER: Manner = $manner;

            #[tokio::test]
            async fn a_death_after_a_pending_commit_loses_and_doubles_nothing() {
                survives("pending-committed", [4, 3], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_after_an_authorization_loses_and_doubles_nothing() {
                survives("authorized", [5, 2], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_after_a_confirmed_commit_loses_and_doubles_nothing() {
                survives("confirmed-committed", [3, 4], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_before_a_shared_commit_loses_and_doubles_nothing() {
                survives("committing", [9, 14], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_after_a_shared_commit_loses_and_doubles_nothing() {
                survives("committed", [8, 15], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_between_two_answers_loses_and_doubles_nothing() {
                survives("answering", [5, 2], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_before_effects_are_committed_loses_and_doubles_nothing() {
                survives("effects-committing", [4, 3], MANNER).await;
            }

            #[tokio::test]
            async fn a_death_after_an_effect_loses_and_doubles_nothing() {
                survives("effect-committed", [8, 1], MANNER).await;
            }
        }
    };
}

deaths!(with_clients_that_retry, Manner::Retries);
deaths!(with_clients_that_give_up, Manner::GivesUp);

/// Lets clients book while the process dies at each of these passings of a crash point, and audits
/// what is left.
async fn survives(point: &str, passings: [u32; 2], manner: Manner) {
    let rentcar = Platform::rentcar().with_pending_timeout(PENDING_TIMEOUT);
    let doors = Doors {
        bookings: vec![rentcar.gateway()],
        gateway: rentcar.gateway(),
    };
    let (mut sagas, innkeeper) = join!(
        book(&doors, manner, "through", async |wish| wish < WISHES_EACH),
        dies_and_returns(&rentcar, point, passings)
    );
    sagas.extend(book(&doors, manner, "after", async |wish| wish < WISHES_AFTER).await);
    audited(&rentcar, &doors, &sagas, manner).await;
    innkeeper.stop().await;
}

async fn dies_and_returns(rentcar: &Platform, point: &str, passings: [u32; 2]) -> Innkeeper {
    for passing in passings {
        let crash_point = format!("{point}:{passing}");
        let mut doomed = rentcar.start(&["--crash-after", &crash_point]);
        doomed.killed().await;
    }
    rentcar.ready(&[]).await
}

async fn audited(rentcar: &Platform, doors: &Doors, sagas: &[Saga], manner: Manner) {
    let file = File(rentcar.data());
    quiet(&file).await;
    let mut faults = replay::faults(doors, sagas).await;
    let stored = quiet(&file).await;
    faults.extend(audit::faults(sagas, manner, &stored));
    faults.extend(view::faults(doors.gateway).await);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The file of a platform.
struct File(PathBuf);

impl File {
    fn open(&self) -> Connection {
        open(&self.0.join("platform.1.db"))
    }
}

impl Observable for File {
    async fn stored(&self) -> Stored {
        let file = self.open();
        let rows = |service| {
            let rows = all(&file, &of(service, ROWS), row);
            rows.into_iter().flatten().collect()
        };
        let letters = |service| number(&file, &of(service, DEAD_LETTERS));
        Stored {
            bookings: rows(BOOKINGS),
            payments: rows(PAYMENTS),
            fulfillments: rows(FULFILLMENTS),
            keys: all(&file, &of(BOOKINGS, KEYS), key),
            unsent: 0, // an event is in the log as soon as it is committed
            dead_letters: [BOOKINGS, PAYMENTS, FULFILLMENTS, VIEW]
                .map(letters)
                .iter()
                .sum(),
        }
    }

    async fn log(&self) -> Progress {
        let file = self.open();
        let end = "SELECT coalesce(max(record_offset) + 1, 0) FROM records";
        Progress {
            end: number(&file, end),
            groups: all(&file, "SELECT next_offset FROM offsets", |columns| {
                columns.get(0)
            }),
        }
    }
}

/// The statement for the tables of a service.
fn of(service: &str, statement: &str) -> String {
    statement.replace(" FROM ", &format!(" FROM \"{service}.")) + "\""
}

fn open(file: &Path) -> Connection {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    file.busy_timeout(Duration::from_secs(5)).unwrap();
    file
}

fn all<T>(file: &Connection, sql: &str, read: impl Fn(&Columns) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |columns| read(columns)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn number(file: &Connection, sql: &str) -> i64 {
    file.query_row(sql, [], |columns| columns.get(0)).unwrap()
}

/// A row; `None` for a tombstone.
fn row(columns: &Columns) -> rusqlite::Result<Option<Row>> {
    let Some(id) = columns.get(1)? else {
        return Ok(None);
    };
    let body: String = columns.get(3)?;
    Ok(Some(Row::new(
        saga(columns, 0)?,
        id,
        columns.get(2)?,
        &body,
    )))
}

fn key(columns: &Columns) -> rusqlite::Result<Key> {
    Ok(Key {
        text: columns.get(0)?,
        saga: saga(columns, 1)?,
        status: columns.get(2)?,
        location: columns.get(3)?,
    })
}

fn saga(columns: &Columns, column: usize) -> rusqlite::Result<String> {
    let bytes: Vec<u8> = columns.get(column)?;
    Ok(Uuid::from_slice(&bytes).unwrap().to_string())
}
