//! Which nodes a service's pods may run on.

use std::collections::BTreeMap;

use innkeeper_crds::DomainService;
use innkeeper_crds::workload::Scheduling;
use innkeeper_crds::workload::scheduling::{
    Spread, TaintEffect, TolerationOperator, WhenUnsatisfiable,
};
use k8s_openapi::api::core::v1::{Toleration, TopologySpreadConstraint};

use super::metadata::label_selector;

/// Label with the name of a node.
const HOSTNAME: &str = "kubernetes.io/hostname";
/// Label with the revision of a pod, so that old pods do not count for the new ones during a
/// rollout.
const REVISION: &str = "pod-template-hash";

/// Labels that a node must have.
pub(super) fn node_selector(scheduling: Option<&Scheduling>) -> Option<BTreeMap<String, String>> {
    Some(scheduling?.node_selector.clone()).filter(|labels| !labels.is_empty())
}

/// Taints that the pods tolerate.
pub(super) fn tolerations(scheduling: Option<&Scheduling>) -> Option<Vec<Toleration>> {
    let tolerations: Vec<_> = scheduling?
        .tolerations
        .iter()
        .map(|given| Toleration {
            key: given.key.clone(),
            value: given.value.clone(),
            operator: Some(match given.operator {
                TolerationOperator::Equal => "Equal".to_owned(),
                TolerationOperator::Exists => "Exists".to_owned(),
            }),
            effect: given.effect.map(|effect| match effect {
                TaintEffect::NoSchedule => "NoSchedule".to_owned(),
                TaintEffect::PreferNoSchedule => "PreferNoSchedule".to_owned(),
                TaintEffect::NoExecute => "NoExecute".to_owned(),
            }),
            toleration_seconds: None,
        })
        .collect();
    Some(tolerations).filter(|tolerations| !tolerations.is_empty())
}

/// The rules that spread the pods: those of the user, else different nodes if possible.
pub(super) fn spread(service: &DomainService) -> Vec<TopologySpreadConstraint> {
    let scheduling = service.spec.workload.scheduling.as_ref();
    let given = scheduling.map_or(&[][..], |scheduling| &scheduling.spread);
    if given.is_empty() {
        return vec![constraint(service, &apart_by_node())];
    }
    given
        .iter()
        .map(|spread| constraint(service, spread))
        .collect()
}

fn apart_by_node() -> Spread {
    Spread {
        topology_key: HOSTNAME.to_owned(),
        max_skew: 1,
        when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway,
    }
}

fn constraint(service: &DomainService, spread: &Spread) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        label_selector: Some(label_selector(service)),
        match_label_keys: Some(vec![REVISION.to_owned()]),
        max_skew: spread.max_skew.cast_signed(),
        topology_key: spread.topology_key.clone(),
        when_unsatisfiable: match spread.when_unsatisfiable {
            WhenUnsatisfiable::ScheduleAnyway => "ScheduleAnyway".to_owned(),
            WhenUnsatisfiable::DoNotSchedule => "DoNotSchedule".to_owned(),
        },
        ..TopologySpreadConstraint::default()
    }
}
