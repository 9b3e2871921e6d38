//! Where a service keeps its rows, and where its events go and come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where rows are kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Database {
    /// A file of its own.
    Sqlite(SqliteFile),
    /// A schema of its own in a PostgreSQL database.
    Postgres(Postgres),
}

/// An SQLite database.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteFile {
    /// Path of the file; its folder must exist.
    pub file: PathBuf,
}

/// A schema in a PostgreSQL database.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Postgres {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    #[serde(
        default = "default_postgres_port",
        skip_serializing_if = "is_default_postgres_port"
    )]
    pub port: u16,
    /// Name of the database.
    pub database: String,
    /// Name of the schema, which is made when it is missing.
    pub schema: String,
    /// Folder with the files `username` and `password`.
    pub credentials_dir: PathBuf,
}

const fn default_postgres_port() -> u16 {
    5432
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_default_postgres_port(port: &u16) -> bool {
    *port == default_postgres_port()
}

/// Where events go and come from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Log {
    /// A Kafka topic.
    Kafka(Kafka),
    /// A file that all services of the platform share.
    Sqlite(SqliteLog),
}

/// A topic of a Kafka cluster.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kafka {
    /// `host:port` of one or more brokers, with commas between them.
    pub bootstrap_servers: String,
    /// Name of the topic, which must exist.
    pub topic: String,
    /// Consumer group of this service.
    pub group: String,
}

/// A log in an SQLite file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteLog {
    /// Path of the file; its folder must exist.
    pub file: PathBuf,
    /// Name of the topic.
    pub topic: String,
    /// Consumer group of this service.
    pub group: String,
}
