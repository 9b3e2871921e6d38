//! How services reach Kafka, beyond the addresses of its brokers.

use innkeeper_contracts::settings::SaslMechanism;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::database::SecretRef;
use crate::tls::Tls;

/// How connections to Kafka are encrypted, and how a client proves who it is.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KafkaSecurity {
    /// How the connections are encrypted. When left out: not at all.
    pub tls: Option<Tls>,
    /// The user and the password. When left out: none, and a client certificate may do instead.
    pub sasl: Option<Sasl>,
}

/// A user of Kafka with a password.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sasl {
    /// How the password is proved, as Kafka's `sasl.mechanism`.
    pub mechanism: SaslMechanism,
    /// The Secret with the user and the password.
    pub secret_ref: SecretRef,
}
