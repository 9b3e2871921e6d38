//! The part of the status that all kinds have in common.

use innkeeper_crds::{BookingPlatformStatus, Condition, DomainServiceStatus, EventTopicStatus};
use kube::api::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A status that has conditions.
pub trait Conditions: Serialize + PartialEq {
    /// The conditions of the object.
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

/// The fields that the status of every kind has; the others are kept as they are.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// The generation that the status describes.
    #[serde(default)]
    pub observed_generation: i64,
    /// The conditions of the object.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl CommonStatus {
    /// The status of an object of any of Innkeeper's kinds. It is empty if the object has none yet.
    pub fn of(object: &DynamicObject) -> Self {
        let status = object.data.get("status").cloned();
        let read = status.and_then(|status| serde_json::from_value(status).ok());
        read.unwrap_or_default()
    }
}
