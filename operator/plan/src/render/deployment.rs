//! The Deployment, which replaces pods without an interruption.

use innkeeper_crds::workload::{Rollout, Surge};
use innkeeper_crds::{DomainService, DomainServiceSpec};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::config_map::ConfigMaps;
use super::metadata::{label_selector, metadata, name};
use super::pod::pod_template;

/// Seconds without progress after which a rollout counts as failed. This is longer than a pod may
/// take to start.
const PROGRESS_DEADLINE_SECONDS: i32 = 300;
/// Seconds for which a new pod must have been ready before it counts as available. By then about
/// every node and gateway knows its endpoint, so that no old pod goes, and no platform is called
/// ready, too early.
const MINIMUM_READY_SECONDS: i32 = 3;
/// How many old `ReplicaSet`s, with their ConfigMaps, are kept for a rollback.
const REVISION_HISTORY_LIMIT: i32 = 3;

/// The Deployment of a service. It removes an old pod only when a new one is ready. Without
/// `replicas` the number of pods belongs to somebody else.
pub(super) fn deployment(
    service: &DomainService,
    config_maps: &ConfigMaps,
    replicas: Option<i32>,
) -> Deployment {
    Deployment {
        metadata: metadata(service, name(service)),
        spec: Some(DeploymentSpec {
            replicas,
            selector: label_selector(service),
            strategy: Some(strategy(service.spec.workload.rollout.as_ref())),
            min_ready_seconds: Some(minimum_ready_seconds(&service.spec)),
            progress_deadline_seconds: Some(PROGRESS_DEADLINE_SECONDS),
            revision_history_limit: Some(REVISION_HISTORY_LIMIT),
            template: pod_template(service, config_maps),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn strategy(rollout: Option<&Rollout>) -> DeploymentStrategy {
    let surge = rollout.and_then(|rollout| rollout.surge.as_ref());
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(surge.map_or(IntOrString::Int(1), int_or_string)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

fn int_or_string(Surge(text): &Surge) -> IntOrString {
    text.parse()
        .map_or_else(|_| IntOrString::String(text.clone()), IntOrString::Int)
}

fn minimum_ready_seconds(spec: &DomainServiceSpec) -> i32 {
    let rollout = spec.workload.rollout.as_ref();
    let given = rollout.and_then(|rollout| rollout.minimum_ready_time);
    given
        .and_then(|time| i32::try_from(time.as_seconds()).ok())
        .unwrap_or(MINIMUM_READY_SECONDS)
}
