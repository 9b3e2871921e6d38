//! How connections to a server are protected.

use jiff::Timestamp;
use serde::Serialize;

/// How the connections to a server are protected, by the latest one. `/settings` shows it so.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transport {
    /// Whether it is encrypted.
    #[serde(rename = "tls")]
    pub is_encrypted: bool,
    /// When the certificate that the server showed ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_certificate_ends: Option<Timestamp>,
    /// When our own certificate ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_ends: Option<Timestamp>,
}
