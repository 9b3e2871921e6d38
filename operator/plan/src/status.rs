//! What the statuses of all kinds have in common.

use innkeeper_crds::{BookingPlatformStatus, Condition, DomainServiceStatus, EventTopicStatus};
use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A status that has conditions.
pub trait Conditions: Serialize + PartialEq {
    /// They themselves.
    fn conditions(&self) -> &[Condition];
}

impl Conditions for BookingPlatformStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Conditions for DomainServiceStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Conditions for EventTopicStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

impl Conditions for CommonStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}

/// What the status of every kind has.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// The generation that it speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// How the object stands.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl CommonStatus {
    /// The status of an object of any kind of ours; an object that has none has not been looked at.
    pub fn of(object: &DynamicObject) -> Self {
        let status = object.data.get("status").cloned();
        let read = status.and_then(|status| serde_json::from_value(status).ok());
        read.unwrap_or_default()
    }
}
