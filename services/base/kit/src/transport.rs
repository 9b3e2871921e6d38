//! How connections to a server are protected.

use jiff::Timestamp;

/// How the connections to a server are protected, by the latest one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Transport {
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// When the certificate that the server showed ends.
    pub server_certificate_ends: Option<Timestamp>,
    /// When our own certificate ends.
    pub client_certificate_ends: Option<Timestamp>,
}
