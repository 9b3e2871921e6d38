//! Where a service keeps its rows, and where its events go and come from.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;

/// Where rows are kept.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Database {
    /// A file of its own.
    Sqlite(SqliteFile),
    /// A schema of its own in a PostgreSQL database.
    Postgres(Postgres),
}

/// An SQLite database.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteFile {
    /// Path of the file; its folder must exist.
    #[schemars(length(min = 1, max = 4096))]
    pub file: PathBuf,
}

/// A schema in a PostgreSQL database.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Postgres {
    /// Name or address of the server.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Its port. 5432 when left out.
    #[serde(
        default = "number::default::<u16, DEFAULT_POSTGRES_PORT>",
        skip_serializing_if = "number::is_default::<u16, DEFAULT_POSTGRES_PORT>"
    )]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// Name of the database.
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// Name of the schema, which is made when it is missing.
    #[schemars(length(min = 1, max = 63))]
    pub schema: String,
    /// Folder with the files `username` and `password`.
    #[schemars(length(min = 1, max = 4096))]
    pub credentials_dir: PathBuf,
    /// Whether and how the connection is encrypted. When left out: where the server offers it, and
    /// without verifying its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PostgresTls>,
}

/// How the connection to a PostgreSQL server is encrypted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresTls {
    /// What is asked of the server.
    pub mode: TlsMode,
    /// File with the certificates of the authorities to trust, in PEM; the system's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub ca_file: Option<PathBuf>,
    /// Folder with the client's certificate and key: the files `tls.crt` and `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub client_certificate_dir: Option<PathBuf>,
}

/// What is asked of a server's TLS, by the names of PostgreSQL's `sslmode`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS with any certificate: nobody reads along, but anybody may answer.
    Require,
    /// TLS with a certificate of a trusted authority, for whatever name.
    VerifyCa,
    /// TLS with a certificate of a trusted authority for the name of the host.
    VerifyFull,
}

/// The port of a PostgreSQL server, unless told otherwise.
const DEFAULT_POSTGRES_PORT: u16 = 5432;

/// Where events go and come from.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Log {
    /// A Kafka topic.
    Kafka(Kafka),
    /// A file that all services of the platform share.
    Sqlite(SqliteLog),
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kafka(kafka) => write!(
                formatter,
                "the topic {} of Kafka at {}",
                kafka.topic, kafka.bootstrap_servers
            ),
            Self::Sqlite(log) => write!(formatter, "{}", log.file.display()),
        }
    }
}

/// A topic of a Kafka cluster.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kafka {
    /// `host:port` of one or more brokers, with commas between them.
    #[schemars(length(min = 1, max = 1024))]
    pub bootstrap_servers: String,
    /// Name of the topic, which must exist.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// Consumer group of this service.
    #[schemars(length(min = 1, max = 249))]
    pub group: String,
}

/// A log in an SQLite file.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteLog {
    /// Path of the file; its folder must exist.
    #[schemars(length(min = 1, max = 4096))]
    pub file: PathBuf,
    /// Name of the topic.
    #[schemars(length(min = 1, max = 249))]
    pub topic: String,
    /// Consumer group of this service.
    #[schemars(length(min = 1, max = 249))]
    pub group: String,
}
