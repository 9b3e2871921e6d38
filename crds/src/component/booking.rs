//! A service that takes bookings.

use innkeeper_contracts::schema;
use innkeeper_contracts::settings::{
    self, DEFAULT_PENDING_TIMEOUT_SECONDS, PaymentCall, PaymentTime,
};
use innkeeper_contracts::words::{Attribute, MAX_ATTRIBUTES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::words::{Fields, words};
use crate::duration::{self, Duration};
use crate::rules::ONLY_WHAT_IS_PAID_LATER_HAS_A_TIME;

/// Takes bookings: pending, confirmed, rejected, expired, cancelled, completed.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Booking {
    /// The platform's names of fields.
    #[serde(default)]
    pub fields: Fields,
    /// Further fields that clients may send with a booking, each with a type and bounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_ATTRIBUTES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub attributes: Vec<Attribute>,
    /// Names of fields, as clients write them, without which a booking is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub required: Vec<String>,
    /// Labels of states, as clients see and send them. Where there are some, views leave the other
    /// states out of `latestOf`.
    #[serde(default)]
    pub statuses: BookingStatuses,
    /// Names of events, as other systems see them.
    #[serde(default)]
    pub events: BookingEvents,
    /// Who takes the money; nobody when left out.
    pub payment: Option<BookingPayment>,
    /// How long a booking may be pending until the service settles it itself. 1m when left out.
    pub pending_timeout: Option<Duration>,
}

impl Booking {
    /// The settings of the service's process, including what other parts of the platform decide.
    pub fn settings(
        &self,
        currency: Option<String>,
        call: Option<PaymentCall>,
    ) -> settings::Booking {
        let Self {
            fields,
            attributes,
            required,
            statuses,
            events,
            payment: _,
            pending_timeout: _,
        } = self;
        settings::Booking {
            words: words(fields, attributes, statuses, events),
            required: required.clone(),
            currency,
            payment: call,
            pending_timeout_seconds: self.pending_timeout_seconds(),
        }
    }

    /// Seconds after which the service itself settles a pending booking.
    pub fn pending_timeout_seconds(&self) -> u32 {
        self.pending_timeout
            .map_or(DEFAULT_PENDING_TIMEOUT_SECONDS.into(), Duration::as_seconds)
    }
}

/// Who takes the money for a booking, and when.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[ONLY_WHAT_IS_PAID_LATER_HAS_A_TIME])))]
pub struct BookingPayment {
    /// Name of a payment service of the platform.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// When it is asked.
    #[serde(default)]
    pub when: PaymentTime,
    /// How long a confirmed booking that is paid later waits for its money, counted from when the
    /// payment was requested; then it expires. For ever when left out.
    #[serde(default)]
    #[schemars(schema_with = "duration::up_to_30_days")]
    pub pay_within: Option<Duration>,
}

/// Labels of a booking's states; a state without one has its canonical name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingStatuses {
    /// Label of a booking that is not settled yet; `pending` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub pending: Option<String>,
    /// Label of a booking that is valid; `confirmed` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub confirmed: Option<String>,
    /// Label of a booking whose payment was declined; `rejected` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub rejected: Option<String>,
    /// Label of a booking that was not settled or not paid in time; `expired` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub expired: Option<String>,
    /// Label of a booking that was cancelled before its delivery; `cancelled` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub cancelled: Option<String>,
    /// Label of a booking whose fulfillment is completed; `completed` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub completed: Option<String>,
}

/// Names of a booking's events; an event without one has the canonical name of its state.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingEvents {
    /// Name of the event that a booking is valid; `confirmed` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub confirmed: Option<String>,
    /// Name of the event that a booking's payment was declined; `rejected` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub rejected: Option<String>,
    /// Name of the event that a booking was not settled or not paid in time; `expired` when left
    /// out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub expired: Option<String>,
    /// Name of the event that a booking was cancelled; `cancelled` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub cancelled: Option<String>,
    /// Name of the event that a booking's fulfillment is completed; `completed` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub completed: Option<String>,
}
