//! The disruption budget, which lets a drained node evict one pod at a time.

use innkeeper_crds::DomainService;
use innkeeper_crds::workload::DisruptionBudget;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{label_selector, metadata, name};

/// The disruption budget of a service; `None` if it does not ask for one. One pod at a time may be
/// evicted, and pods that are not ready may be evicted at any time.
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
