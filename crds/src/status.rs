//! The part that all statuses have in common: conditions as kstatus expects them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// The observed generation of a status that the operator has not written yet.
pub const NEVER_OBSERVED: i64 = -1;

pub(crate) const fn never_observed() -> i64 {
    NEVER_OBSERVED
}

/// One aspect of an object's state.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect: Ready, Reconciling or Stalled.
    #[serde(rename = "type")]
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Whether the condition is true: True, False, or Unknown before anyone looked.
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
    pub observed_generation: Option<i64>,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ConditionStatus {
    /// The object is what the condition's type says, such as Ready.
    True,
    /// The object is not what the condition's type says.
    False,
    /// Nobody has looked yet.
    Unknown,
}
