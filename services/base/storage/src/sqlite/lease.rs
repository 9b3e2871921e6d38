//! The lease on relaying.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::connection::{after, microseconds};

/// Takes or renews the lease; `false` while another process holds it.
pub fn take(
    connection: &Connection,
    owner: Uuid,
    hold_for: Duration,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "
        INSERT INTO lease (name, owner, until) VALUES ('relay', ?1, ?2)
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE lease.owner = excluded.owner OR lease.until <= ?3";
    let taken = connection.prepare_cached(sql)?.execute(params![
        owner.as_bytes(),
        after(now, hold_for),
        microseconds(now)
    ])?;
    Ok(taken == 1)
}

/// Gives the lease back if this owner holds it.
pub fn release(connection: &Connection, owner: Uuid) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM lease WHERE name = 'relay' AND owner = ?1")?
        .execute([owner.as_bytes()])
        .map(drop)
}
