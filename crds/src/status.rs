//! The part that all statuses have in common: conditions as kstatus expects them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The observed generation of a status that the operator has not written yet.
pub const NEVER_OBSERVED: i64 = -1;

pub(crate) const fn never_observed() -> i64 {
    NEVER_OBSERVED
}

/// One aspect of an object's state.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect: Ready, Reconciling or Stalled.
    #[serde(rename = "type")]
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word.
    #[schemars(length(max = 63))]
    pub reason: String,
    /// Why, in a sentence that says what to do.
    #[serde(default)]
    #[schemars(length(max = 8192))]
    pub message: String,
    /// When `status` last changed.
    #[schemars(schema_with = "crate::schema::instant")]
    pub last_transition_time: Time,
    /// The generation of the object that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody has looked yet.
    Unknown,
}
