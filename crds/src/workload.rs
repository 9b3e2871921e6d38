//! How a service runs on a cluster: replicas, resources, probes, configuration, rollout and
//! scheduling.

pub mod autoscaling;
pub mod configuration;
pub mod disruption_budget;
pub mod probes;
pub mod quantity;
pub mod resources;
pub mod rollout;
pub mod scheduling;

use std::collections::BTreeMap;

use innkeeper_contracts::settings::DEFAULT_DRAIN_SECONDS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

pub use autoscaling::Autoscaling;
pub use configuration::{Configuration, SecretKey, Secrets};
pub use disruption_budget::DisruptionBudget;
pub use probes::{Probe, Probes};
pub use quantity::{Quantity, Surge};
pub use resources::Resources;
pub use rollout::Rollout;
pub use scheduling::Scheduling;

use crate::duration::Duration;

/// How a service runs on a cluster; every field has a default that suits most services.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// How many pods; 0 switches the service off. 1 when left out. Not together with `autoscaling`.
    #[schemars(range(min = 0, max = 100))]
    pub replicas: Option<u32>,
    /// Lets Kubernetes choose the number of pods by their load.
    pub autoscaling: Option<Autoscaling>,
    /// Processor time and memory of each pod.
    pub resources: Option<Resources>,
    /// How Kubernetes finds out whether a pod is well; the admin API answers unless told otherwise.
    pub probes: Option<Probes>,
    /// Values of your own; a change rolls the pods.
    pub config: Option<Configuration>,
    /// Values that come from Secrets.
    pub secrets: Option<Secrets>,
    /// How new pods replace old ones.
    pub rollout: Option<Rollout>,
    /// How many pods a drained node may take at once: one when left out; `None` is for a disruption
    /// budget of your own.
    pub disruption_budget: Option<DisruptionBudget>,
    /// Further labels of the service's objects and pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::labels")]
    pub labels: BTreeMap<String, String>,
    /// Further annotations of the service's objects and pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
    /// On which nodes the pods may run.
    pub scheduling: Option<Scheduling>,
}

impl Workload {
    /// Seconds that a service may take to finish what it has begun.
    pub fn drain_seconds(&self) -> u32 {
        let given = self.rollout.as_ref().and_then(|it| it.drain_time);
        given.map_or(DEFAULT_DRAIN_SECONDS.into(), Duration::as_seconds)
    }

    /// The environment variables that the user sets directly, and not from a Secret.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let config = self.config.as_ref();
        config.map(|it| it.env.clone()).unwrap_or_default()
    }

    /// The files that the user adds.
    pub fn files(&self) -> BTreeMap<String, String> {
        let config = self.config.as_ref();
        config.map(|it| it.files.clone()).unwrap_or_default()
    }
}
