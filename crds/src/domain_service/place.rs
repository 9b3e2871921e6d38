//! Where a resolved service keeps its rows and reads its events.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A database with nothing left to look up.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.sqlite) != has(self.postgres)", "say either sqlite or postgres"))]
pub struct ResolvedDatabase {
    /// A file of the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<ResolvedSqlite>,
    /// A schema of the service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<ResolvedPostgres>,
}

/// An SQLite file.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedSqlite {
    /// Its path; its folder must exist.
    #[schemars(length(min = 1, max = 4096))]
    pub file: String,
}

/// A schema in a PostgreSQL database.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedPostgres {
    /// Name or address of the server.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Its port.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// Name of the database.
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// Name of the schema, which is made when it is missing.
    #[schemars(length(min = 1, max = 63))]
    pub schema: String,
    /// Name of the Secret with the keys `username` and `password`.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
}

/// A log with nothing left to look up.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.kafka) != has(self.sqlite)", "say either kafka or sqlite"))]
pub struct ResolvedLog {
    /// A Kafka topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaLog>,
    /// A file that all services of a platform share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<SqliteLog>,
}

/// A topic of a Kafka cluster.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KafkaLog {
    /// `host:port` of one or more brokers, with commas between them.
    #[schemars(length(min = 1, max = 1024))]
    pub bootstrap_servers: String,
    /// Name of the topic.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// Consumer group of this service.
    #[schemars(length(min = 1, max = 249))]
    pub group: String,
}

/// A log in an SQLite file.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SqliteLog {
    /// Path of the file; its folder must exist.
    #[schemars(length(min = 1, max = 4096))]
    pub file: String,
    /// Name of the topic.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// Consumer group of this service.
    #[schemars(length(min = 1, max = 249))]
    pub group: String,
}
