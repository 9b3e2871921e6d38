//! Loads and changes dead letters.

use innkeeper_kit::store::{
    DeadLetter, DeadLetterKind, DeadLetterQuery, FailedReplay, StoreError, StoredDeadLetter,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::connections::{Connections, QueryError};
use super::messages::headers;

/// The columns that [`from_columns`] reads.
macro_rules! columns {
    () => {
        "seq, occurred_at, id, kind, event_id, topic, record_partition, record_offset, record_key,
         headers::text, payload, error, tries"
    };
}

/// Loads a page of dead letters, oldest first.
pub async fn list(
    connections: &Connections,
    wanted: DeadLetterQuery,
) -> Result<Vec<StoredDeadLetter>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.dead_letters WHERE seq > $1 AND ($2::text IS NULL OR kind = $2) ORDER BY seq LIMIT $3"
    );
    let kind = wanted.kind.map(DeadLetterKind::as_str);
    let limit = i64::from(wanted.limit);
    let rows = connections
        .query(SQL, &[&wanted.after, &kind, &limit])
        .await?;
    rows.iter().map(from_columns).collect()
}

/// Loads a dead letter.
pub async fn load(
    connections: &Connections,
    id: Uuid,
) -> Result<Option<StoredDeadLetter>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM innkeeper.dead_letters WHERE id = $1"
    );
    let rows = connections.query(SQL, &[&id]).await?;
    rows.first().map(from_columns).transpose()
}

/// Counts the dead letters of each kind.
pub async fn count(connections: &Connections) -> Result<Vec<(DeadLetterKind, u64)>, StoreError> {
    let sql = "SELECT kind, count(*) FROM innkeeper.dead_letters GROUP BY kind";
    let rows = connections.query(sql, &[]).await?;
    let counts = rows.iter().map(|row| {
        let (kind, count): (&str, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok((DeadLetterKind::of_stored(kind), count.unsigned_abs()))
    });
    let counts: Result<_, tokio_postgres::Error> = counts.collect();
    Ok(counts.map_err(QueryError::from)?)
}

/// Notes that a dead letter was tried once more in vain.
pub async fn keep(connections: &Connections, replay: &FailedReplay) -> Result<(), StoreError> {
    let sql =
        "UPDATE innkeeper.dead_letters SET kind = $2, error = $3, tries = tries + 1 WHERE id = $1";
    let kind = replay.kind.as_str();
    connections
        .query(sql, &[&replay.id, &kind, &replay.error])
        .await?;
    Ok(())
}

fn from_columns(row: &Row) -> Result<StoredDeadLetter, StoreError> {
    let read = || {
        let tries: i32 = row.try_get(12)?;
        Ok::<_, tokio_postgres::Error>(StoredDeadLetter {
            number: row.try_get(0)?,
            occurred_at: row.try_get(1)?,
            letter: DeadLetter {
                id: row.try_get(2)?,
                kind: DeadLetterKind::of_stored(row.try_get(3)?),
                event_id: row.try_get(4)?,
                topic: row.try_get(5)?,
                partition: row.try_get(6)?,
                offset: row.try_get(7)?,
                key: row.try_get(8)?,
                headers: Vec::new(),
                payload: row.try_get(10)?,
                error: row.try_get(11)?,
                tries: tries.unsigned_abs(),
            },
        })
    };
    let mut stored = read().map_err(QueryError::from)?;
    stored.letter.headers = headers(row, 9)?;
    Ok(stored)
}
