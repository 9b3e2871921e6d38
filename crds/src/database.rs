//! Where a service keeps its rows.

use innkeeper_contracts::settings::TlsMode;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A database as a user names it; left out, the executor's default counts.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.sqlite) != has(self.postgres)", "say either sqlite or postgres"))]
pub struct Database {
    /// A file of the service's own. Only in `innkeeper dev` so far, and with one replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<Sqlite>,
    /// A schema of the service's own in a PostgreSQL database; `innkeeper dev` uses SQLite instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Postgres>,
}

/// An SQLite database; there is nothing to choose.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sqlite {}

/// A PostgreSQL database.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Postgres {
    /// Name or address of the server.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Its port.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PostgresTls>,
}

/// How the connection to a PostgreSQL server is encrypted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostgresTls {
    /// What is asked of the server, by the names of PostgreSQL's `sslmode`.
    pub mode: TlsMode,
    /// Where the certificates are.
    #[serde(flatten)]
    pub secrets: TlsSecrets,
}

/// Where the certificates for TLS are.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsSecrets {
    /// Secret with the certificates of the authorities to trust, in PEM. When left out: the
    /// system's, which in Innkeeper's image are Mozilla's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<CaSecretRef>,
    /// Secret of the type kubernetes.io/tls with the client's certificate and key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<TlsSecretRef>,
}

/// A Secret in the namespace of the object, and the key in it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaSecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in it.
    #[serde(default = "ca_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

fn ca_key() -> String {
    "ca.crt".to_owned()
}

/// A Secret in the namespace of the object, with the keys `tls.crt` and `tls.key`.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsSecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

const fn postgres_port() -> u16 {
    5432
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
