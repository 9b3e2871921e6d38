//! Settings of a booking service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::number;
use crate::words::Words;

/// Settings of a booking service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Booking {
    /// The platform's names of a booking's fields, states and events.
    #[serde(default)]
    pub words: Words,
    /// Fields that a request must have, in the platform's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 63)))]
    pub required: Vec<String>,
    /// ISO 4217 code of amounts.
    #[schemars(length(max = 3), regex(pattern = r"^[A-Z]{3}$"))]
    pub currency: Option<String>,
    /// Who takes the money, and when.
    pub payment: Option<PaymentCall>,
    /// Seconds after which the service itself settles a pending booking. 60 when left out.
    #[serde(
        default = "number::default::<u32, DEFAULT_PENDING_TIMEOUT_SECONDS>",
        skip_serializing_if = "number::is_default::<u32, DEFAULT_PENDING_TIMEOUT_SECONDS>"
    )]
    #[schemars(range(min = 1, max = 3_600))]
    pub pending_timeout_seconds: u32,
}

/// Seconds after which the service itself settles a pending booking, unless told otherwise.
pub const DEFAULT_PENDING_TIMEOUT_SECONDS: u16 = 60;

/// How a booking service reaches its payment service.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentCall {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Its address, such as `http://pay:8080`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// When it is asked.
    pub when: PaymentTime,
    /// Milliseconds until a call is given up.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub timeout_ms: u64,
}

/// When a booking is paid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PaymentTime {
    /// Authorized by a call before the booking is confirmed.
    #[default]
    OnPlacement,
    /// Requested once the booking is confirmed; the client pays later.
    Later,
}
