//! Creates the schema and migrates its tables, one process at a time.

use std::time::Duration;

use deadpool_postgres::Object;
use refinery::Migration;

use super::connections::Connections;
use super::options::PostgresOptions;
use crate::{OpenError, migrations};

/// How long another process may take to migrate the same schema.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Migrates on a connection of its own; closing it releases the lock.
pub async fn run(connections: &Connections, options: &PostgresOptions) -> Result<(), OpenError> {
    let client = connections
        .connect()
        .await
        .map_err(|error| options.connect_error(error))?;
    let mut client = Object::take(client);
    take_lock(&client, &options.schema)
        .await
        .map_err(|error| options.connect_error(error))?;
    make_schema(&client, &options.schema)
        .await
        .map_err(|source| OpenError::Schema {
            schema: options.schema.clone(),
            source,
        })?;
    apply(&mut client)
        .await
        .map_err(|error| OpenError::Migrate {
            database: options.schema.clone(),
            source: Box::new(error),
        })
}

async fn take_lock(
    client: &tokio_postgres::Client,
    schema: &str,
) -> Result<(), tokio_postgres::Error> {
    let timeout = format!("SET statement_timeout = {}", LOCK_TIMEOUT.as_millis());
    client.batch_execute(&timeout).await?;
    let lock = "SELECT pg_advisory_lock(hashtext('innkeeper migration'), hashtext($1))";
    client.execute(lock, &[&schema]).await.map(drop)
}

/// Checks first whether the schema exists, because `IF NOT EXISTS` requires the permission to
/// create schemas even if there is nothing to create.
async fn make_schema(
    client: &tokio_postgres::Client,
    schema: &str,
) -> Result<(), tokio_postgres::Error> {
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    if client.query_opt(exists, &[&schema]).await?.is_some() {
        return Ok(());
    }
    client
        .batch_execute(&format!(r#"CREATE SCHEMA "{schema}""#))
        .await
}

async fn apply(client: &mut tokio_postgres::Client) -> Result<(), refinery::Error> {
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
        runner.run_async(client).await?;
    }
    Ok(())
}
