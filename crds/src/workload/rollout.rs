//! How new pods replace old ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Surge;
use crate::duration::Duration;

/// How new pods replace old ones; no old pod goes before a new one is ready.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// How many pods more than wanted may run meanwhile: a number or a share such as `25%`. 1 when
    /// left out.
    pub surge: Option<Surge>,
    /// How long a pod may take to finish what it has begun. 20s when left out.
    pub drain_time: Option<Duration>,
    /// How long a new pod must be ready until it counts; its endpoint takes about so long to reach
    /// every node. 3s when left out.
    pub minimum_ready_time: Option<Duration>,
}
