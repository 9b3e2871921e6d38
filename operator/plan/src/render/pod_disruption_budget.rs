//! The disruption budget: a drained node takes one pod at a time.

use innkeeper_crds::DomainService;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{label_selector, metadata, name};

/// Allows one pod at a time to go, and always those that serve nobody anyway.
pub fn pod_disruption_budget(service: &DomainService) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: metadata(service, name(service)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(label_selector(service)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}
