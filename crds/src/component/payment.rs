//! A service that takes money.

use innkeeper_contracts::schema;
use innkeeper_contracts::settings::{self, BookingAddress, Capture};
use innkeeper_contracts::words::Attribute;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::booking::BookingPayment;
use super::words::{Fields, words};
use crate::duration::Duration;

/// Takes money for bookings: requested, authorized, declined, captured, voided, refunded.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// When an authorized amount is taken.
    #[serde(default)]
    pub capture: Capture,
    /// Who moves the money; the built-in test provider when left out, which moves none.
    #[serde(default)]
    pub provider: Provider,
    /// The platform's names of the fields that a payment keeps.
    #[serde(default)]
    pub fields: Fields,
    /// Further fields that a payment keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub attributes: Vec<Attribute>,
    /// Labels of states, as clients see and send them. Where there are some, views leave the other
    /// states out of `latestOf`.
    #[serde(default)]
    pub statuses: PaymentNames,
    /// Names of events, as other systems see them.
    #[serde(default)]
    pub events: PaymentNames,
}

impl Payment {
    /// The settings of the service's process, including the bookings that it serves, when and
    /// within which time those are paid, and who can be asked about them.
    pub fn settings(
        &self,
        bookings: Vec<String>,
        paid: Option<&BookingPayment>,
        booking_addresses: Vec<BookingAddress>,
    ) -> settings::Payment {
        let Self {
            capture,
            provider: Provider { test },
            fields,
            attributes,
            statuses,
            events,
        } = self;
        settings::Payment {
            words: words(fields, attributes, statuses, events),
            bookings,
            booking_addresses,
            capture: *capture,
            when: paid.map(|it| it.when),
            pay_within_seconds: paid.and_then(|it| it.pay_within).map(Duration::as_seconds),
            provider: settings::Provider::Test {
                decline_above: test.as_ref().and_then(|test| test.decline_above),
            },
        }
    }
}

/// Who moves the money.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The built-in provider, which is deterministic and moves no money.
    pub test: Option<TestProvider>,
}

/// The settings of the built-in provider, which moves no money.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestProvider {
    /// Declines larger amounts, in the currency's minor unit.
    #[schemars(range(min = 0))]
    pub decline_above: Option<i64>,
}

/// Names of a payment's states or events; what has none here has the canonical name of the state.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentNames {
    /// Name for a payment that waits for the client; `requested` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub requested: Option<String>,
    /// Name for a payment whose amount is reserved; `authorized` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub authorized: Option<String>,
    /// Name for a payment that the provider refused; `declined` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub declined: Option<String>,
    /// Name for a payment whose amount is taken; `captured` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub captured: Option<String>,
    /// Name for a payment that ended before an amount was taken; `voided` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub voided: Option<String>,
    /// Name for a payment whose taken amount is given back; `refunded` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub refunded: Option<String>,
}
