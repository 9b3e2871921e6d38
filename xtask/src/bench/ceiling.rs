//! The highest possible rate of commits on this machine: one row and one event per SQLite
//! transaction, and nothing else.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Commits for a while, and returns the commits per second.
pub fn measure_commits_per_second(file: &Path, length: Duration) -> Result<f64, Box<dyn Error>> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE booking (id INTEGER PRIMARY KEY, body TEXT);
         CREATE TABLE outbox (id INTEGER PRIMARY KEY, payload TEXT);",
    )?;
    let body = "x".repeat(200);
    let began = Instant::now();
    let mut commits = 0_u32;
    while began.elapsed() < length {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection
            .prepare_cached("INSERT INTO booking (body) VALUES (?)")?
            .execute([&body])?;
        connection
            .prepare_cached("INSERT INTO outbox (payload) VALUES (?)")?
            .execute([&body])?;
        connection.execute_batch("COMMIT")?;
        commits += 1;
    }
    Ok(f64::from(commits) / began.elapsed().as_secs_f64())
}
