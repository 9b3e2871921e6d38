//! Settings of a fulfillment service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::Words;

/// Settings of a fulfillment service.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fulfillment {
    /// The platform's names of a fulfillment's fields, states and events.
    #[serde(default)]
    pub words: Words,
    /// The payment services whose captures start it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub payments: Vec<String>,
    /// The booking services whose ends cancel it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub bookings: Vec<String>,
    /// The state in which it begins.
    #[serde(default)]
    pub start_as: StartAs,
}

/// The state in which a fulfillment begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum StartAs {
    /// It waits to be started.
    #[default]
    Scheduled,
    /// It is under way at once.
    InProgress,
}
