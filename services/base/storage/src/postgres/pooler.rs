//! Whether a pooler before the server keeps prepared statements.

use deadpool_postgres::Object;
use tokio_postgres::error::SqlState;

use super::connections::{Connections, in_time};
use super::options::PostgresOptions;
use crate::OpenError;

/// Refuses a pooler that gives each transaction another connection and does not take prepared
/// statements along: a statement is prepared while one connection of the server is free, and used
/// while another transaction has that one.
pub async fn check(connections: &Connections, options: &PostgresOptions) -> Result<(), OpenError> {
    let probe = async {
        // Both end with the probe.
        let one = Object::take(connections.connect().await.ok()?);
        let statement = one.prepare("SELECT 1").await.ok()?;
        let mut other = Object::take(connections.connect().await.ok()?);
        let transaction = other.transaction().await.ok()?;
        transaction.query("SELECT 1", &[]).await.ok()?;
        let error = one.query(&statement, &[]).await.err()?;
        error.code().cloned()
    };
    // A pooler with a single connection does not answer.
    match in_time(probe).await.flatten() {
        Some(SqlState::INVALID_SQL_STATEMENT_NAME) => Err(OpenError::Pooler {
            host: options.host.clone(),
            port: options.port,
        }),
        _ => Ok(()),
    }
}
