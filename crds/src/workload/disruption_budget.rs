//! How many pods of a service a drained node may evict at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many pods of a service a drained node may take at once: one when left out; `None` is for a
/// disruption budget of your own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DisruptionBudget {
    /// At most one pod is evicted at a time; one that is not ready may always be evicted.
    OneAtATime,
    /// Innkeeper makes no budget: Kubernetes evicts no pod that two of them select.
    None,
}
