//! Creates the schema and migrates its tables, one process at a time, in one transaction: behind a
//! pooler, only that is certain to have one connection.

use std::time::Duration;

use refinery::Migration;
use refinery_core::AsyncMigrate;
use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_postgres::{IsolationLevel, Transaction};

use super::connections::Connections;
use super::options::PostgresOptions;
use crate::{OpenError, migrations};

/// How long another process may take to migrate the same schema.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Migrates in a transaction of its own, whose end releases the lock.
pub async fn run(connections: &Connections, options: &PostgresOptions) -> Result<(), OpenError> {
    let mut client = connections
        .connect()
        .await
        .map_err(|error| options.connect_error(error))?;
    let failed = |error| options.connect_error(error);
    // What another process has migrated while this one waited for the lock is seen.
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted);
    let transaction = transaction.start().await.map_err(failed)?;
    begin(&transaction, &options.schema).await.map_err(failed)?;
    make_schema(&transaction, &options.schema)
        .await
        .map_err(|source| OpenError::Schema {
            schema: options.schema.clone(),
            source,
        })?;
    apply(&transaction)
        .await
        .map_err(|error| OpenError::Migrate {
            database: options.schema.clone(),
            source: Box::new(error),
        })?;
    transaction.commit().await.map_err(failed)
}

/// Lets the transaction see the schema, and waits until no other process migrates it.
async fn begin(transaction: &Transaction<'_>, schema: &str) -> Result<(), tokio_postgres::Error> {
    let timeout = LOCK_TIMEOUT.as_millis();
    let settings =
        format!(r#"SET LOCAL search_path = "{schema}"; SET LOCAL statement_timeout = {timeout}"#);
    transaction.batch_execute(&settings).await?;
    let lock = "SELECT pg_advisory_xact_lock(hashtext('innkeeper migration'), hashtext($1))";
    transaction.execute(lock, &[&schema]).await.map(drop)
}

/// Checks first whether the schema exists, because `IF NOT EXISTS` requires the permission to
/// create schemas even if there is nothing to create.
async fn make_schema(
    transaction: &Transaction<'_>,
    schema: &str,
) -> Result<(), tokio_postgres::Error> {
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    if transaction.query_opt(exists, &[&schema]).await?.is_some() {
        return Ok(());
    }
    transaction
        .batch_execute(&format!(r#"CREATE SCHEMA "{schema}""#))
        .await
}

async fn apply(transaction: &Transaction<'_>) -> Result<(), refinery::Error> {
    let tables = include_str!("../../migrations/postgres/V1__tables.sql");
    let several_rows = include_str!("../../migrations/postgres/V2__several_rows.sql");
    let parked = include_str!("../../migrations/postgres/V3__parked_events.sql");
    let dead_letters = include_str!("../../migrations/postgres/V4__dead_letters.sql");
    let first = [Migration::unapplied("V1__tables", tables)?];
    let later = [
        Migration::unapplied("V2__several_rows", several_rows)?,
        Migration::unapplied("V3__parked_events", parked)?,
        Migration::unapplied("V4__dead_letters", dead_letters)?,
    ];
    for runner in [migrations::first(&first), migrations::later(&later)] {
        runner.run_async(&mut Migrated(transaction)).await?;
    }
    Ok(())
}

/// What is migrated: the tables, as one transaction sees them. The library's own implementation
/// begins a transaction for each of its statements.
struct Migrated<'a>(&'a Transaction<'a>);

impl AsyncTransaction for Migrated<'_> {
    type Error = tokio_postgres::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        statements: T,
    ) -> Result<usize, Self::Error> {
        let mut count = 0;
        for statement in statements {
            self.0.batch_execute(statement).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Migrated<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, Self::Error> {
        let rows = self.0.query(query, &[]).await?;
        rows.iter().map(applied).collect()
    }
}

impl AsyncMigrate for Migrated<'_> {}

/// A migration in the history: its version, its name, and its time and checksum as texts.
fn applied(row: &tokio_postgres::Row) -> Result<Migration, tokio_postgres::Error> {
    let (time, checksum): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let time = OffsetDateTime::parse(&time, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Ok(Migration::applied(
        row.try_get(0)?,
        row.try_get(1)?,
        time,
        checksum.parse().unwrap_or_default(),
    ))
}
