//! Claims rows that are due.

use innkeeper_kit::store::{Due, Row};
use jiff::Timestamp;
use rusqlite::named_params;

use super::connection::{after, before, microseconds};
use super::rows;
use super::tables::Session;

/// Releases every claim.
pub fn release_all(session: Session<'_>) -> rusqlite::Result<()> {
    let sql =
        "UPDATE {rows} SET claim_owner = NULL, claim_until = NULL WHERE claim_until IS NOT NULL";
    session.prepare(sql)?.execute([]).map(drop)
}

/// Claims the oldest rows that are due and have no valid claim.
pub fn claim_due(session: Session<'_>, due: &Due, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    const SQL: &str = concat!(
        "UPDATE {rows} SET version = version + 1, claim_owner = :owner, claim_until = :until
         WHERE correlation_id IN (
             SELECT correlation_id FROM {rows}
             WHERE state = :state AND created_at <= :created_until
               AND (claim_until IS NULL OR claim_until <= :now)
             ORDER BY created_at LIMIT :limit)
         RETURNING ",
        rows::columns!()
    );
    let mut claimed: Vec<Row> = session
        .prepare(SQL)?
        .query_map(
            named_params! {
                ":owner": due.owner.as_bytes(),
                ":until": after(now, due.hold_for),
                ":state": due.state,
                ":created_until": before(now, due.age),
                ":now": microseconds(now),
                ":limit": due.limit,
            },
            |row| rows::from_columns(row, now),
        )?
        .collect::<Result<_, _>>()?;
    claimed.sort_by_key(|row| row.created_at);
    Ok(claimed)
}
