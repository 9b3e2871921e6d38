//! A service that delivers what was paid.

use innkeeper_contracts::schema;
use innkeeper_contracts::settings::{self, StartAs};
use innkeeper_contracts::words::Attribute;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::words::{Fields, words};

/// Delivers what was paid: scheduled, in progress, completed, cancelled.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fulfillment {
    /// The event that begins a fulfillment: `PaymentCaptured`, which is also the default.
    #[serde(default)]
    pub start_on: StartOn,
    /// The state in which it begins.
    #[serde(default)]
    pub start_as: StartAs,
    /// The platform's names of the fields that a fulfillment keeps.
    #[serde(default)]
    pub fields: Fields,
    /// Further fields that a fulfillment keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub attributes: Vec<Attribute>,
    /// Labels of states, as clients see and send them. Where there are some, views leave the other
    /// states out of `latestOf`.
    #[serde(default)]
    pub statuses: FulfillmentNames,
    /// Names of events, as other systems see them.
    #[serde(default)]
    pub events: FulfillmentNames,
}

impl Fulfillment {
    /// The settings of the service's process, including the services whose events it follows.
    pub fn settings(&self, payments: Vec<String>, bookings: Vec<String>) -> settings::Fulfillment {
        let Self {
            start_on: StartOn::PaymentCaptured,
            start_as,
            fields,
            attributes,
            statuses,
            events,
        } = self;
        settings::Fulfillment {
            words: words(fields, attributes, statuses, events),
            payments,
            bookings,
            start_as: *start_as,
        }
    }
}

/// What begins a fulfillment.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum StartOn {
    /// The payment is captured.
    #[default]
    PaymentCaptured,
}

/// Names of a fulfillment's states or events; what has none here has the canonical name of the
/// state.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FulfillmentNames {
    /// Name for a fulfillment that waits to be started; `scheduled` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub scheduled: Option<String>,
    /// Name for a fulfillment that is under way; `inProgress` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub in_progress: Option<String>,
    /// Name for a fulfillment that is finished; `completed` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub completed: Option<String>,
    /// Name for a fulfillment that was cancelled; `cancelled` when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::label")]
    pub cancelled: Option<String>,
}
