//! Settings of a payment service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::booking::{DEFAULT_PENDING_TIMEOUT_SECONDS, PaymentTime};
use super::number;
use crate::words::Words;

/// Settings of a payment service.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Payment {
    /// The platform's names of a payment's fields, states and events.
    #[serde(default)]
    pub words: Words,
    /// The booking services whose sagas it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub bookings: Vec<String>,
    /// The same services with their addresses, to be asked what became of a booking of which
    /// nothing was heard. Without them nobody is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub booking_addresses: Vec<BookingAddress>,
    /// Whether money is taken at once or when the client says so.
    #[serde(default)]
    pub capture: Capture,
    /// When the bookings that it serves are paid.
    pub when: Option<PaymentTime>,
    /// Seconds after which a payment that is still requested is voided, and its booking expires.
    /// Never when left out.
    #[schemars(range(min = 1, max = MAX_PAY_WITHIN_SECONDS))]
    pub pay_within_seconds: Option<u32>,
    /// Who moves the money.
    #[serde(default)]
    pub provider: Provider,
}

/// The longest time in which a booking can be paid: 30 days.
const MAX_PAY_WITHIN_SECONDS: u32 = 30 * 24 * 3_600;

/// A booking service that can be asked what became of a booking.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BookingAddress {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Its address, such as `http://reservation:8080`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// Seconds after which it settles a pending booking. 60 when left out.
    #[serde(
        default = "number::default::<u32, DEFAULT_PENDING_TIMEOUT_SECONDS>",
        skip_serializing_if = "number::is_default::<u32, DEFAULT_PENDING_TIMEOUT_SECONDS>"
    )]
    #[schemars(range(min = 1, max = 3_600))]
    pub pending_timeout_seconds: u32,
}

/// When an authorized amount is taken.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Capture {
    /// As soon as the booking is confirmed.
    #[default]
    Automatic,
    /// When a client sends the label of `captured`.
    Manual,
}

/// Who moves the money.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Provider {
    /// The built-in provider, which is deterministic and moves no money.
    Test {
        /// Declines larger amounts, in the currency's minor unit.
        #[serde(
            rename = "declineAbove",
            default,
            skip_serializing_if = "Option::is_none"
        )]
        #[schemars(range(min = 0))]
        decline_above: Option<i64>,
    },
}

impl Default for Provider {
    fn default() -> Self {
        Self::Test {
            decline_above: None,
        }
    }
}
