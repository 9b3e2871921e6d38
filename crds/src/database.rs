//! Where a service keeps its rows.

use innkeeper_contracts::settings::DEFAULT_POSTGRES_PORT;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::tls::Tls;

/// A database as a user names it; left out, the executor's default counts.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.sqlite) != has(self.postgres)", "say either sqlite or postgres"))]
pub struct Database {
    /// A file that all services of the platform share. Only in `innkeeper dev` so far, and with one
    /// replica.
    pub sqlite: Option<Sqlite>,
    /// A schema of the service's own in a PostgreSQL database; `innkeeper dev` uses SQLite instead.
    pub postgres: Option<Postgres>,
}

/// An SQLite database; there is nothing to choose.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sqlite {}

/// A PostgreSQL database, and how services connect to it.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Postgres {
    /// Name or address of the server.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Port of the server. 5432 when left out.
    #[serde(default = "postgres_port")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
    /// Name of the database.
    #[serde(default = "postgres_database")]
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// The Secret with the credentials.
    pub secret_ref: SecretRef,
    /// Whether and how the connection is encrypted. When left out: where the server offers it, and
    /// without verifying its certificate.
    pub tls: Option<Tls>,
}

const fn postgres_port() -> u16 {
    DEFAULT_POSTGRES_PORT
}

fn postgres_database() -> String {
    "innkeeper".to_owned()
}

/// A Secret in the namespace of the object, with the keys `username` and `password`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
