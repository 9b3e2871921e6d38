//! Tables are created completely or not at all, so that a database can be opened again after a
//! crash.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::platform::Platform;

/// A history table that refuses every entry, which simulates a process that dies before it writes
/// one.
const HISTORY_THAT_REFUSES: &str = "CREATE TABLE \"reservation.refinery_schema_history\" (
    version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255), CHECK (version = 0))";

fn count(file: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM sqlite_schema WHERE name = '{table}'");
    let file = Connection::open(file).unwrap();
    file.query_row(&sql, [], |columns| columns.get(0)).unwrap()
}

#[tokio::test]
async fn tables_without_the_note_that_they_are_there_are_taken_back() {
    let rentcar = Platform::rentcar();
    fs::create_dir_all(rentcar.data()).unwrap();
    let file = rentcar.data().join("platform.1.db");
    Connection::open(&file)
        .unwrap()
        .execute_batch(HISTORY_THAT_REFUSES)
        .unwrap();

    let mut innkeeper = rentcar.start(&[]);
    let status = innkeeper.ended().await;

    assert_eq!(status.code(), Some(2), "{}", innkeeper.log());
    assert_eq!(count(&file, "reservation.refinery_schema_history"), 1);
    assert_eq!(count(&file, "reservation.rows"), 0);
    Connection::open(&file)
        .unwrap()
        .execute_batch("DROP TABLE \"reservation.refinery_schema_history\"")
        .unwrap();
    rentcar.ready(&[]).await.stop().await;
}
