//! How many pods a service has, depending on their load.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// Lets Kubernetes choose the number of pods by their processor time.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.minReplicas <= self.maxReplicas", "minReplicas must not be above maxReplicas"))]
pub struct Autoscaling {
    /// Fewest pods, also without load. 1 when left out.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub min_replicas: u32,
    /// Most pods, whatever the load.
    #[schemars(range(min = 1, max = 100))]
    pub max_replicas: u32,
    /// Processor time that pods should use on average, in percent of what they request; pods are
    /// added above it. 80 when left out.
    #[serde(default = "eighty", rename = "targetCPUUtilizationPercentage")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_cpu_utilization_percentage: u32,
    /// How fast the number may change; Kubernetes' own defaults when left out.
    pub behavior: Option<Behavior>,
}

const fn one() -> u32 {
    1
}

const fn eighty() -> u32 {
    80
}

/// How fast the number of pods may change.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Behavior {
    /// How fast pods may be added; Kubernetes' default when left out.
    pub scale_up: Option<ScalingRules>,
    /// How fast pods may be removed; Kubernetes' default when left out.
    pub scale_down: Option<ScalingRules>,
}

/// How fast the number of pods may change in one direction.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingRules {
    /// Seconds of the past whose most cautious proposal counts.
    #[schemars(range(min = 0, max = 3600))]
    pub stabilization_window_seconds: Option<u32>,
    /// Which of the policies counts.
    pub select_policy: Option<SelectPolicy>,
    /// Limits of change, at most 8; Kubernetes' defaults when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub policies: Vec<ScalingPolicy>,
}

/// Which of several policies counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SelectPolicy {
    /// The one that allows the largest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: the number does not change in this direction.
    Disabled,
}

/// A limit of change within a period.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingPolicy {
    /// Whether `value` is a number of pods or a percentage of them.
    #[serde(rename = "type")]
    pub kind: ScalingPolicyKind,
    /// Largest change within the period.
    #[schemars(range(min = 1, max = 10_000))]
    pub value: u32,
    /// Length of the period in seconds.
    #[schemars(range(min = 1, max = 1800))]
    pub period_seconds: u32,
}

/// What a scaling policy counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ScalingPolicyKind {
    /// `value` is a number of pods.
    Pods,
    /// `value` is a percentage of the pods that there are.
    Percent,
}
