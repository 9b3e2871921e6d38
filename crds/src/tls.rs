//! How connections to databases and to Kafka are encrypted, with certificates from Secrets.

use innkeeper_contracts::settings::TlsMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// How a connection is encrypted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// What is asked of the server, by the names of PostgreSQL's `sslmode`.
    pub mode: TlsMode,
    /// Where the certificates are.
    #[serde(flatten)]
    pub secrets: TlsSecrets,
}

/// Where the certificates for TLS are.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsSecrets {
    /// Secret with the certificates of the authorities to trust, in PEM. When left out: the
    /// system's, which in Innkeeper's image are Mozilla's.
    pub ca_secret_ref: Option<CaSecretRef>,
    /// Secret of the type kubernetes.io/tls with the client's certificate and key.
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
