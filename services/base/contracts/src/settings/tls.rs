//! How a connection to a database or to Kafka is encrypted.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// How a connection is encrypted.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// What is asked of the server.
    pub mode: TlsMode,
    /// File with the certificates of the authorities to trust, in PEM; the system's when left out.
    #[schemars(length(min = 1, max = 4096))]
    pub ca_file: Option<PathBuf>,
    /// Folder with the client's certificate and key: the files `tls.crt` and `tls.key`.
    #[schemars(length(min = 1, max = 4096))]
    pub client_certificate_dir: Option<PathBuf>,
}

impl Tls {
    /// Whether there is any.
    pub fn is_on(&self) -> bool {
        self.mode != TlsMode::Disable
    }
}

/// What is asked of a server's TLS, by the names of PostgreSQL's `sslmode`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum TlsMode {
    /// The connection is not encrypted.
    Disable,
    /// TLS with any certificate: nobody reads along, but anybody may answer.
    Require,
    /// TLS with a certificate of a trusted authority, for whatever name.
    VerifyCa,
    /// TLS with a certificate of a trusted authority for the name of the host.
    VerifyFull,
}
