//! CPU and memory of pods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Quantity;

/// Processor time and memory of each pod; what is left out has a default.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// What a node must have free.
    pub requests: Option<ResourceAmounts>,
    /// What a pod must not exceed.
    pub limits: Option<ResourceAmounts>,
}

/// An amount of each resource.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAmounts {
    /// Processor time, such as `200m`.
    pub cpu: Option<Quantity>,
    /// Memory, such as `128Mi`.
    pub memory: Option<Quantity>,
}
