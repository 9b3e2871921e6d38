//! The lease on relaying.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::connection::{after, microseconds};
use super::tables::Session;

/// Takes or renews the lease; `false` while another process holds it.
pub fn take(
    session: Session<'_>,
    owner: Uuid,
    hold_for: Duration,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "
        INSERT INTO {lease} AS lease (name, owner, until) VALUES ('relay', ?1, ?2)
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE lease.owner = excluded.owner OR lease.until <= ?3";
    let taken = session.prepare(sql)?.execute(params![
        owner.as_bytes(),
        after(now, hold_for),
        microseconds(now)
    ])?;
    Ok(taken == 1)
}

/// Gives the lease back if this owner holds it.
pub fn release(session: Session<'_>, owner: Uuid) -> rusqlite::Result<()> {
    session
        .prepare("DELETE FROM {lease} WHERE name = 'relay' AND owner = ?1")?
        .execute([owner.as_bytes()])
        .map(drop)
}
