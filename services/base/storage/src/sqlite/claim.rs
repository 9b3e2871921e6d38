//! Claims rows that are due.

use innkeeper_kit::store::{Due, Row};
use jiff::Timestamp;
use rusqlite::named_params;

use super::connection::{after, before, microseconds};
use super::rows;
use super::tables::Session;

pub fn release_all(session: Session<'_>) -> rusqlite::Result<()> {
    let sql =
        "UPDATE {rows} SET claim_owner = NULL, claim_until = NULL WHERE claim_until IS NOT NULL";
    session.prepare(sql)?.execute([]).map(drop)
}

/// Claims the oldest rows that are due and have no valid claim. Few states are ever due, and few
/// rows are in one, so that each of those states gets an index of its own rows when it is first
/// asked for.
pub fn claim_due(session: Session<'_>, due: &Due, now: Timestamp) -> rusqlite::Result<Vec<Row>> {
    let state = &due.state;
    if !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(rusqlite::Error::InvalidParameterName(state.clone()));
    }
    let index = format!(
        "CREATE INDEX IF NOT EXISTS {{rows_in_{state}}} ON {{rows}} (created_at) WHERE state = '{state}'"
    );
    session
        .connection
        .execute(&session.tables.named(&index), [])?;
    // The state is a part of the text, so that SQLite finds the index.
    let columns = rows::columns!();
    let claim = format!(
        "UPDATE {{rows}} SET version = version + 1, claim_owner = :owner, claim_until = :until
         WHERE correlation_id IN (
             SELECT correlation_id FROM {{rows}}
             WHERE state = '{state}' AND created_at <= :created_until
               AND (claim_until IS NULL OR claim_until <= :now)
             ORDER BY created_at LIMIT :limit)
         RETURNING {columns}"
    );
    let mut claimed: Vec<Row> = session
        .connection
        .prepare_cached(&session.tables.named(&claim))?
        .query_map(
            named_params! {
                ":owner": due.owner.as_bytes(),
                ":until": after(now, due.hold_for),
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
