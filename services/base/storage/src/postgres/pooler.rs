//! Whether a pooler before the server keeps prepared statements.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::connections::Connections;
use super::options::PostgresOptions;
use crate::OpenError;

/// How long to wait for the answer of a pooler: one with a single connection gives none.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Refuses a pooler that gives each transaction another connection and does not take prepared
/// statements along.
pub async fn check(connections: &Connections, options: &PostgresOptions) -> Result<(), OpenError> {
    let lost = [
        SqlState::INVALID_SQL_STATEMENT_NAME,
        // Another process has prepared one of this name on the connection that we were given.
        SqlState::DUPLICATE_PSTATEMENT,
    ];
    match timeout(ANSWER_TIMEOUT, use_prepared(connections)).await {
        Ok(Err(error)) if error.code().is_some_and(|code| lost.contains(code)) => {
            Err(OpenError::Pooler {
                host: options.host.clone(),
                port: options.port,
            })
        }
        _ => Ok(()),
    }
}

/// Prepares a statement while one connection of the server is free, and uses it while another
/// transaction has that one.
async fn use_prepared(connections: &Connections) -> Result<(), tokio_postgres::Error> {
    let (Ok(one), Ok(other)) = (connections.connect().await, connections.connect().await) else {
        return Ok(());
    };
    // Both end here, and do not go back to the pool.
    let (one, mut other) = (Object::take(one), Object::take(other));
    let statement = one.prepare("SELECT 1").await?;
    let transaction = other.transaction().await?;
    transaction.query("SELECT 1", &[]).await?;
    one.query(&statement, &[]).await.map(drop)
}
