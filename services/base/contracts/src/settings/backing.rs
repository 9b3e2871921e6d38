//! Where a service keeps its rows, and where its events go and come from.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::number;
use super::tls::Tls;

/// Where rows are kept.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Database {
    /// An SQLite file; in `innkeeper dev` all services of the platform share one.
    Sqlite(SqliteFile),
    /// A schema of its own in a PostgreSQL database.
    Postgres(Postgres),
}

/// An SQLite database in a file, which one process at a time can use.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteFile {
    /// Path of the file; its folder must exist.
    #[schemars(length(min = 1, max = 4096))]
    pub file: PathBuf,
}

/// A schema in a PostgreSQL database.
#[skip_serializing_none]
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
    pub tls: Option<Tls>,
}

/// The port of a PostgreSQL server, unless told otherwise.
pub const DEFAULT_POSTGRES_PORT: u16 = 5432;

/// Where events go and come from.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Log {
    /// A Kafka topic that all services of the platform share.
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
#[skip_serializing_none]
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
    /// How the connections are encrypted. When left out: not at all.
    pub tls: Option<Tls>,
    /// How the service proves who it is. When left out: it does not, unless by a certificate.
    pub sasl: Option<Sasl>,
}

impl Kafka {
    /// The brokers, and how they are reached.
    pub fn cluster(&self) -> KafkaCluster {
        KafkaCluster {
            bootstrap_servers: self.bootstrap_servers.clone(),
            tls: self.tls.clone(),
            sasl: self.sasl.clone(),
        }
    }
}

/// The brokers of a Kafka cluster, and how they are reached.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KafkaCluster {
    /// `host:port` of one or more brokers, with commas between them.
    #[schemars(length(min = 1, max = 1024))]
    pub bootstrap_servers: String,
    /// How the connections are encrypted. When left out: not at all.
    pub tls: Option<Tls>,
    /// How a client proves who it is. When left out: it does not, unless by a certificate.
    pub sasl: Option<Sasl>,
}

impl KafkaCluster {
    /// The TLS of its connections, if there is any.
    pub fn encryption(&self) -> Option<&Tls> {
        self.tls.as_ref().filter(|tls| tls.is_on())
    }

    /// Brokers that are reached without TLS, and without a password.
    pub fn plain(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.into(),
            tls: None,
            sasl: None,
        }
    }
}

/// How a client of Kafka proves who it is, by a user and a password (RFC 4422).
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sasl {
    /// How the password is proved.
    pub mechanism: SaslMechanism,
    /// Folder with the files `username` and `password`.
    #[schemars(length(min = 1, max = 4096))]
    pub credentials_dir: PathBuf,
}

/// How a password is proved, by the name that Kafka's `sasl.mechanism` has for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SaslMechanism {
    /// The password itself is sent (RFC 4616): only TLS hides it.
    #[serde(rename = "PLAIN")]
    Plain,
    /// A proof by SHA-256 (RFC 7677).
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// A proof by SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SaslMechanism {
    /// Kafka's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
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
