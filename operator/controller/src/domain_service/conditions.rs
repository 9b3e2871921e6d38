//! How a service stands.
//!
//! A service with `replicas: 0` is Ready with the reason Off: it is as its owner described it, so that kstatus settles,
//! its platform can be ready, and its callers do not wait for it.

use innkeeper_crds::DomainService;
use innkeeper_plan::render::fewest_replicas;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus};
use kube::ResourceExt as _;

use super::apply::Outcome;
use super::fetch::Unready;
use crate::ownership::{Obstacle, Refused};
use crate::verdict::{Reason, Verdict};

/// How a service stands, why, and what to do.
pub(super) fn verdict(service: &DomainService, outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Stopped(obstacle) => stopped(obstacle),
        Outcome::Waiting(callees) => waiting(callees),
        Outcome::Refused(it) => refused(it),
        Outcome::Applied(deployment) => rollout(service, deployment),
    }
}

/// What is said of a refusal, whoever meets it.
pub(crate) fn refused(Refused { what, why }: &Refused) -> Verdict {
    Verdict::stalled(Reason::Refused, format!("{what} is refused: {why}"))
}

/// What is said of an obstacle, whoever meets it.
pub(crate) fn stopped(obstacle: &Obstacle) -> Verdict {
    match obstacle {
        Obstacle::Taken(names) => Verdict::stalled(
            Reason::NameTaken,
            format!(
                "{} belongs to someone else and is left alone: delete or rename it, choose another name for the service, or give the platform a namespace of its own",
                names.join(", ")
            ),
        ),
        Obstacle::Former(names) => Verdict::reconciling(
            Reason::WaitingForDeletion,
            format!(
                "waits until Kubernetes has deleted what a former object of this name left: {}",
                names.join(", ")
            ),
        ),
    }
}

fn waiting(callees: &[Unready]) -> Verdict {
    let each: Vec<_> = callees
        .iter()
        .map(|callee| match &callee.reason {
            Some(reason) => format!("{} ({reason})", callee.service),
            None => format!("{} (does not exist yet)", callee.service),
        })
        .collect();
    Verdict::reconciling(
        Reason::WaitingForCallee,
        format!("waits for {}, which it calls", each.join(", ")),
    )
}

fn rollout(service: &DomainService, deployment: &Deployment) -> Verdict {
    let status = deployment.status.clone().unwrap_or_default();
    if status.observed_generation < deployment.metadata.generation {
        return progressing("waits for Kubernetes to see the change");
    }
    let fewest = fewest_replicas(&service.spec.workload);
    if fewest == 0 {
        return off(&status);
    }
    if let Some(verdict) = failed(service, &status) {
        return verdict;
    }
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    let wanted = wanted.unwrap_or(fewest);
    let updated = status.updated_replicas.unwrap_or(0);
    let old = status.replicas.unwrap_or(0) - updated;
    let available = status.available_replicas.unwrap_or(0);
    if updated < wanted.min(fewest) || old > 0 {
        return progressing(format!("{updated} of {wanted} pods are new, {old} old"));
    }
    if available < fewest {
        return progressing(format!("{available} of {fewest} pods are ready"));
    }
    Verdict::ready(
        Reason::Ready,
        format!("ready with {available} of {wanted} pods"),
    )
}

fn off(status: &DeploymentStatus) -> Verdict {
    match status.replicas.unwrap_or(0) {
        0 => Verdict::ready(Reason::Off, "switched off: replicas is 0"),
        left => progressing(format!("switching off: {left} pods are left")),
    }
}

/// What the Deployment's own conditions say has gone wrong.
fn failed(service: &DomainService, status: &DeploymentStatus) -> Option<Verdict> {
    let condition = |kind: &str, holds: &str| -> Option<&DeploymentCondition> {
        let mut conditions = status.conditions.iter().flatten();
        conditions.find(|it| it.type_ == kind && it.status == holds)
    };
    let says = |condition: &DeploymentCondition| condition.message.clone().unwrap_or_default();
    let refused = condition("ReplicaFailure", "True").map(|condition| {
        let message = format!("its pods are refused: {}", says(condition));
        Verdict::stalled(Reason::Refused, message)
    });
    let stuck = || {
        let condition = condition("Progressing", "False")?;
        let label = innkeeper_plan::names::SERVICE_LABEL;
        let name = service.name_any();
        Some(Verdict::stalled(
            Reason::RolloutStalled,
            format!(
                "new pods do not become ready ({}): look at them with kubectl describe pods -l {label}={name}, and at their logs",
                says(condition)
            ),
        ))
    };
    refused.or_else(stuck)
}

fn progressing(message: impl Into<String>) -> Verdict {
    Verdict::reconciling(Reason::Progressing, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::verdict::State;

    fn service(workload: &Value) -> DomainService {
        let mut spec = json!({ "platform": "rentcar", "image": "innkeeper:1", "gateway": {} });
        for (key, value) in workload.as_object().unwrap() {
            spec[key] = value.clone();
        }
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": "gateway", "namespace": "default" },
            "spec": spec,
        }))
        .unwrap()
    }

    fn seen(workload: &Value, replicas: i32, status: &Value) -> Verdict {
        let mut status = status.clone();
        status["observedGeneration"] = json!(1);
        let deployment = serde_json::from_value(json!({
            "metadata": { "generation": 1 },
            "spec": { "replicas": replicas, "selector": {}, "template": {} },
            "status": status,
        }))
        .unwrap();
        let outcome = Outcome::Applied(Box::new(deployment));
        verdict(&service(workload), &outcome)
    }

    fn pods(all: i32, updated: i32, available: i32) -> Value {
        json!({ "replicas": all, "updatedReplicas": updated, "availableReplicas": available })
    }

    #[test]
    fn a_service_is_ready_once_all_pods_are_new_and_enough_are_ready() {
        let two = json!({ "replicas": 2 });
        assert_eq!(seen(&two, 2, &pods(2, 2, 2)).state, State::Ready);
        assert_eq!(seen(&two, 2, &pods(2, 2, 1)).state, State::Reconciling);
        assert_eq!(seen(&two, 2, &pods(3, 2, 3)).state, State::Reconciling);
        assert_eq!(seen(&two, 2, &pods(0, 0, 0)).state, State::Reconciling);
    }

    #[test]
    fn a_service_that_grows_under_load_stays_ready() {
        let scaled = json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 10 } });
        assert_eq!(seen(&scaled, 4, &pods(4, 4, 1)).state, State::Ready);
    }

    #[test]
    fn a_service_that_is_off_is_ready_and_says_so() {
        let off = json!({ "replicas": 0 });
        let verdict = seen(&off, 0, &pods(0, 0, 0));
        assert_eq!((verdict.state, verdict.reason), (State::Ready, Reason::Off));
        assert_eq!(seen(&off, 0, &pods(1, 1, 1)).state, State::Reconciling);
    }

    #[test]
    fn a_rollout_without_progress_is_for_someone_to_look_at() {
        let mut status = pods(1, 1, 0);
        status["conditions"] = json!([
            { "type": "Progressing", "status": "False", "message": "timed out" },
        ]);
        let verdict = seen(&json!({}), 1, &status);
        assert_eq!(verdict.reason, Reason::RolloutStalled);
        assert!(verdict.message.contains("timed out"));
    }

    #[test]
    fn a_caller_says_whom_it_waits_for() {
        let callees = vec![Unready {
            service: "pay".to_owned(),
            reason: Some("Progressing".to_owned()),
        }];
        let verdict = verdict(&service(&json!({})), &Outcome::Waiting(callees));
        assert_eq!(
            verdict.message,
            "waits for pay (Progressing), which it calls"
        );
        assert_eq!(verdict.reason, Reason::WaitingForCallee);
    }
}
