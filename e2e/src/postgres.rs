//! Looks into `PostgreSQL` with a plain client.

use innkeeper_cluster::postgres::{ADMINISTRATOR, PASSWORD as PASSWORD_OF_ADMINISTRATOR};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::site::site;

/// The database that the tests configure in the chart's values.
pub const DATABASE: &str = "innkeeper";

/// The user of the services, who owns the database and may do no more.
pub const USER: &str = "platforms";

/// Password of the user, a word that occurs nowhere else.
pub const PASSWORD: &str = "known-to-the-database-only";

/// Runs a statement in the platforms' database, and returns the rows with their columns as texts.
pub fn query(statement: &str) -> Vec<Vec<String>> {
    query_in(DATABASE, statement)
}

/// Creates an empty database for the platforms, with a user of its own.
pub fn recreate_database() {
    for statement in [
        format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"),
        format!("DROP ROLE IF EXISTS {USER}"),
        format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'"),
        format!("CREATE DATABASE {DATABASE} OWNER {USER}"),
    ] {
        query_in(ADMINISTRATOR, &statement);
    }
}

/// Creates a role that may log in and owns nothing; one that is left from an earlier run goes
/// first.
pub fn create_role(user: &str, password: &str) {
    let exists = query(&format!("SELECT 1 FROM pg_roles WHERE rolname = '{user}'"));
    if !exists.is_empty() {
        query(&format!("DROP OWNED BY {user}"));
        query(&format!("DROP ROLE {user}"));
    }
    query(&format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'"));
}

fn query_in(database: &str, statement: &str) -> Vec<Vec<String>> {
    let answer = site().wait(ask(database, statement));
    let messages = answer.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .map(|row| {
            let column = |index| row.get(index).unwrap_or_default().to_owned();
            (0..row.len()).map(column).collect()
        })
        .collect()
}

async fn ask(
    database: &str,
    statement: &str,
) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
    let address = site().cluster.postgres();
    let (client, connection) = tokio_postgres::Config::new()
        .host(address.ip().to_string())
        .port(address.port())
        .user(ADMINISTRATOR)
        .password(PASSWORD_OF_ADMINISTRATOR)
        .dbname(database)
        .connect(NoTls)
        .await?;
    tokio::select! {
        answer = client.simple_query(statement) => answer,
        ended = connection => match ended {
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(error),
        },
    }
}
