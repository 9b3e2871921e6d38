//! The disruption budget: a drained node takes one pod at a time.

use innkeeper_crds::DomainService;
use innkeeper_crds::workload::DisruptionBudget;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{label_selector, metadata, name};

/// Allows one pod at a time to go, and always those that serve nobody anyway, unless the service has no budget of ours.
pub fn pod_disruption_budget(service: &DomainService) -> Option<PodDisruptionBudget> {
    if service.spec.workload.disruption_budget == Some(DisruptionBudget::None) {
        return None;
    }
    Some(PodDisruptionBudget {
        metadata: metadata(service, name(service)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(label_selector(service)),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    })
}
