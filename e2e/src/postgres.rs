//! What is really in `PostgreSQL`, seen with a plain client.

use innkeeper_cluster::postgres::{ADMINISTRATOR, PASSWORD as PASSWORD_OF_ADMINISTRATOR};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::site::site;

/// The database that the chart's values name.
pub const DATABASE: &str = "innkeeper";

/// The user whom services log in as, who may do no more than the database's owner.
pub const USER: &str = "platforms";

/// The user's password, a word that stands nowhere else.
pub const PASSWORD: &str = "known-to-the-database-only";

/// The rows that a statement answers with in the platforms' database, their columns as texts.
pub fn query(statement: &str) -> Vec<Vec<String>> {
    query_in(DATABASE, statement)
}

/// Gives the platforms an empty database, and a user of their own.
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
