//! How connections to a server are protected.

use jiff::Timestamp;
use serde::Serialize;
use serde_with::skip_serializing_none;

/// How the connections to a server are protected, by the latest one. `/settings` shows it so.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transport {
    /// Whether it is encrypted.
    #[serde(rename = "tls")]
    pub is_encrypted: bool,
    /// When the certificate that the server showed ends.
    pub server_certificate_ends: Option<Timestamp>,
    /// When our own certificate ends.
    pub client_certificate_ends: Option<Timestamp>,
}
