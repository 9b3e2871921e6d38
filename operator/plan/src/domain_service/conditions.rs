//! Which state a service is in, and why.
//!
//! A service with `replicas: 0` is Ready with the reason Off: it is as its owner described it. So
//! kstatus regards it as settled, its platform can become ready, and its callers do not wait for
//! it.

use innkeeper_crds::DomainService;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus};
use kube::ResourceExt as _;

use super::callees::Unready;
use super::findings::Findings;
use super::outcome::ServiceOutcome;
use super::pods::PodFindings;
use crate::render::fewest_replicas;
use crate::verdict::{Reason, Verdict};

/// The state of a service, the reason and the remedy, including what was found beside the service.
pub fn verdict(service: &DomainService, outcome: &ServiceOutcome, findings: &Findings) -> Verdict {
    let verdict = match outcome {
        ServiceOutcome::Invalid(refusals) => {
            Verdict::stalled(Reason::Invalid, refusals.to_string())
        }
        ServiceOutcome::Stopped(obstacle) => obstacle.verdict(),
        ServiceOutcome::Waiting(callees) => waiting(callees),
        ServiceOutcome::Refused(refused) => refused.verdict(),
        ServiceOutcome::Applied(deployment) => {
            let changed = changed_by_hand(service, deployment, findings);
            changed.unwrap_or_else(|| rollout(service, deployment, &findings.pods))
        }
    };
    verdict.with_notes(findings.notes(service))
}

fn waiting(callees: &[Unready]) -> Verdict {
    let each: Vec<_> = callees
        .iter()
        .map(|Unready { service, why }| match why {
            Some(why) => format!("{service} ({why})"),
            None => service.clone(),
        })
        .collect();
    Verdict::reconciling(
        Reason::WaitingForCallee,
        format!("waits for {}, which it calls", each.join(", ")),
    )
}

/// What somebody changed in the Deployment that keeps it from being as described, whatever the
/// state of its pods.
fn changed_by_hand(
    service: &DomainService,
    deployment: &Deployment,
    findings: &Findings,
) -> Option<Verdict> {
    let spec = deployment.spec.as_ref();
    if spec.and_then(|it| it.paused) == Some(true) {
        let (name, namespace) = (service.name_any(), service.namespace().unwrap_or_default());
        return Some(Verdict::stalled(
            Reason::RolloutPaused,
            format!(
                "somebody paused Deployment {name}, so that no change reaches its pods: go on with `kubectl rollout resume deployment/{name} -n {namespace}`"
            ),
        ));
    }
    if let Some(contested) = findings.contested_number(service) {
        return Some(Verdict::stalled(Reason::ScaledByAnother, contested));
    }
    let is_autoscaled = service.spec.workload.autoscaling.is_some();
    (is_autoscaled && spec.and_then(|it| it.replicas) == Some(0)).then(|| scaled_to_zero(service))
}

/// An autoscaler does not scale a Deployment without pods, so somebody has to.
fn scaled_to_zero(service: &DomainService) -> Verdict {
    let (name, namespace) = (service.name_any(), service.namespace().unwrap_or_default());
    let fewest = fewest_replicas(&service.spec.workload);
    Verdict::stalled(
        Reason::ScaledToZero,
        format!(
            "somebody scaled Deployment {name} to 0, where its autoscaler leaves it: go on with `kubectl scale deployment/{name} --replicas={fewest} -n {namespace}`"
        ),
    )
}

/// Whether a service has pods and waits until they are ready.
pub fn awaits_pods(service: &DomainService, outcome: &ServiceOutcome) -> bool {
    outcome.deployment().is_some_and(|deployment| {
        let pods = Pods::of(service, deployment);
        let are_awaited = pods.fewest > 0 && !pods.are_enough();
        are_awaited && pods.old + pods.updated > 0 && is_seen(deployment)
    })
}

/// How many pods a service has.
struct Pods {
    fewest: i32,
    wanted: i32,
    updated: i32,
    old: i32,
    available: i32,
}

impl Pods {
    fn of(service: &DomainService, deployment: &Deployment) -> Self {
        let status = deployment.status.as_ref();
        let count = |count: fn(&DeploymentStatus) -> Option<i32>| status.and_then(count);
        let fewest = fewest_replicas(&service.spec.workload);
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
        let updated = count(|it| it.updated_replicas).unwrap_or(0);
        Self {
            fewest,
            wanted: wanted.unwrap_or(fewest),
            updated,
            old: count(|it| it.replicas).unwrap_or(0) - updated,
            available: count(|it| it.available_replicas).unwrap_or(0),
        }
    }

    /// Whether all pods are new and enough of them are available.
    fn are_enough(&self) -> bool {
        let is_rolled_out = self.updated >= self.wanted.min(self.fewest) && self.old <= 0;
        is_rolled_out && self.available >= self.fewest
    }
}

/// Whether Kubernetes has seen the present version of a Deployment. Of a new one nothing is known
/// yet, which looks like having no pods.
fn is_seen(deployment: &Deployment) -> bool {
    let status = deployment.status.as_ref();
    let seen = status.and_then(|it| it.observed_generation);
    seen.is_none() || seen >= deployment.metadata.generation
}

/// The state of the pods, and why some of them are not ready.
fn rollout(service: &DomainService, deployment: &Deployment, found: &PodFindings) -> Verdict {
    if !is_seen(deployment) {
        return progressing("waits for Kubernetes to see the change");
    }
    let status = deployment.status.clone().unwrap_or_default();
    let pods = Pods::of(service, deployment);
    let Pods {
        fewest,
        wanted,
        updated,
        old,
        available,
    } = pods;
    if fewest == 0 {
        return off(&status);
    }
    if pods.are_enough() {
        return ready(&status, available, wanted);
    }
    if let Some(verdict) = failed(service, &status, found) {
        return verdict;
    }
    let why = found.suffix();
    progressing(if old > 0 {
        format!("{updated} of {wanted} pods are new, {old} old{why}")
    } else {
        format!("{available} of {fewest} pods are ready{why}")
    })
}

/// Enough pods are available. If Kubernetes refuses further ones, the message says so.
fn ready(status: &DeploymentStatus, available: i32, wanted: i32) -> Verdict {
    let refused = condition(status, "ReplicaFailure", "True").map(|it| {
        let why = it.message.clone().unwrap_or_default();
        format!("; further pods are refused: {why}")
    });
    let refused = refused.filter(|_| available < wanted).unwrap_or_default();
    let message = format!("ready with {available} of {wanted} pods{refused}");
    Verdict::ready(Reason::Ready, message)
}

fn off(status: &DeploymentStatus) -> Verdict {
    match status.replicas.unwrap_or(0) {
        0 => Verdict::ready(Reason::Off, "switched off: replicas is 0"),
        left => progressing(format!("switching off: {left} pods are left")),
    }
}

/// What went wrong, by the Deployment's own conditions and by its pods.
fn failed(
    service: &DomainService,
    status: &DeploymentStatus,
    found: &PodFindings,
) -> Option<Verdict> {
    let says = |condition: &DeploymentCondition| condition.message.clone().unwrap_or_default();
    let refused = condition(status, "ReplicaFailure", "True").map(|condition| {
        let message = format!("its pods are refused: {}", says(condition));
        Verdict::stalled(Reason::Refused, message)
    });
    let why = found.suffix();
    let crash_loop = || {
        let pod = found.crash_loop.as_ref()?;
        let namespace = service.namespace().unwrap_or_default();
        let message = format!(
            "the process of a pod ends again and again; `kubectl logs {pod} -n {namespace} --previous` has all that it said{why}"
        );
        Some(Verdict::stalled(Reason::CrashLoop, message))
    };
    let stuck = || {
        let condition = condition(status, "Progressing", "False")?;
        let (label, name) = (crate::names::SERVICE_LABEL, service.name_any());
        let message = format!(
            "new pods do not become ready ({}): look at them with kubectl describe pods -l {label}={name}, and at their logs{why}",
            says(condition).trim_end_matches('.')
        );
        Some(Verdict::stalled(Reason::RolloutStalled, message))
    };
    refused.or_else(crash_loop).or_else(stuck)
}

fn condition<'a>(
    status: &'a DeploymentStatus,
    kind: &str,
    holds: &str,
) -> Option<&'a DeploymentCondition> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|it| it.type_ == kind && it.status == holds)
}

fn progressing(message: impl Into<String>) -> Verdict {
    Verdict::reconciling(Reason::Progressing, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain_service::others::Foreign;
    use crate::verdict::State;

    fn service(workload: &Value) -> DomainService {
        crate::fixtures::service("gateway", workload)
    }

    fn deployment(replicas: i32, status: &Value) -> Deployment {
        let mut status = status.clone();
        status["observedGeneration"] = json!(1);
        serde_json::from_value(json!({
            "metadata": { "generation": 1 },
            "spec": { "replicas": replicas, "selector": {}, "template": {} },
            "status": status,
        }))
        .unwrap()
    }

    fn seen(workload: &Value, replicas: i32, status: &Value) -> Verdict {
        judged(workload, deployment(replicas, status), &Findings::default())
    }

    fn paused(workload: &Value, replicas: i32, status: &Value) -> Verdict {
        let mut deployment = deployment(replicas, status);
        deployment.spec.as_mut().unwrap().paused = Some(true);
        judged(workload, deployment, &Findings::default())
    }

    fn judged(workload: &Value, deployment: Deployment, findings: &Findings) -> Verdict {
        let outcome = ServiceOutcome::Applied(Box::new(deployment));
        verdict(&service(workload), &outcome, findings)
    }

    /// Findings after the scheduler found no node for a pod.
    fn unscheduled() -> Findings {
        let refusal = "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu";
        Findings {
            pods: PodFindings {
                reasons: [refusal.to_owned()].into(),
                ..PodFindings::default()
            },
            ..Findings::default()
        }
    }

    fn beside_another_autoscaler() -> Findings {
        Findings {
            autoscalers: vec![Foreign {
                name: "theirs".to_owned(),
                root: "horizontalpodautoscaler/theirs".to_owned(),
            }],
            ..Findings::default()
        }
    }

    /// Adds the condition that a quota refuses further pods.
    fn with_refusal(mut status: Value) -> Value {
        status["conditions"] = json!([
            { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" },
        ]);
        status
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
    fn an_autoscaled_service_that_somebody_scaled_to_none_stalls_and_says_how_to_go_on() {
        let scaled = json!({ "autoscaling": { "minReplicas": 2, "maxReplicas": 10 } });
        let verdict = seen(&scaled, 0, &pods(0, 0, 0));
        assert_eq!(verdict.state, State::Stalled);
        assert_eq!(verdict.reason, Reason::ScaledToZero);
        let again = "`kubectl scale deployment/gateway --replicas=2 -n shop`";
        assert!(verdict.message.ends_with(again), "{}", verdict.message);
    }

    #[test]
    fn a_deployment_without_a_status_counts_as_having_no_pods() {
        let two = json!({ "replicas": 2 });
        let mut unseen = deployment(2, &json!({}));
        unseen.status = None;
        let unseen = judged(&two, unseen, &Findings::default());
        assert_eq!(unseen, seen(&two, 2, &pods(0, 0, 0)));
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
    fn a_service_says_at_once_why_its_pods_get_no_node() {
        let why = "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu";
        let said = |status| {
            let waiting = deployment(1, &status);
            judged(&json!({}), waiting, &unscheduled()).message
        };
        assert_eq!(said(pods(1, 1, 0)), format!("0 of 1 pods are ready: {why}"));
        assert_eq!(
            said(pods(2, 1, 1)),
            format!("1 of 1 pods are new, 1 old: {why}")
        );
        let mut late = pods(1, 1, 0);
        late["conditions"] = json!([
            { "type": "Progressing", "status": "False", "message": "timed out" },
        ]);
        let stuck = said(late);
        assert!(
            stuck.contains("(timed out)") && stuck.ends_with(why),
            "{stuck}"
        );
    }

    #[test]
    fn pods_are_looked_at_only_while_they_are_awaited() {
        let awaits = |workload: &Value, deployment: Deployment| {
            let outcome = ServiceOutcome::Applied(Box::new(deployment));
            awaits_pods(&service(workload), &outcome)
        };
        let one = json!({});
        assert!(awaits(&one, deployment(1, &pods(1, 1, 0))));
        assert!(!awaits(&one, deployment(1, &pods(1, 1, 1))));
        assert!(!awaits(&one, deployment(1, &pods(0, 0, 0))));
        assert!(!awaits(
            &json!({ "replicas": 0 }),
            deployment(0, &pods(1, 1, 0))
        ));
        let mut unseen = deployment(1, &pods(1, 1, 0));
        unseen.metadata.generation = Some(2);
        assert!(!awaits(&one, unseen));
    }

    #[test]
    fn pods_that_are_refused_beyond_the_fewest_are_told_and_no_more() {
        let scaled = json!({ "autoscaling": { "minReplicas": 2, "maxReplicas": 10 } });
        let verdict = seen(&scaled, 5, &with_refusal(pods(3, 3, 3)));
        assert_eq!(verdict.state, State::Ready);
        assert_eq!(
            verdict.message,
            "ready with 3 of 5 pods; further pods are refused: exceeded quota"
        );
    }

    #[test]
    fn a_refused_rollout_and_a_refused_minimum_are_for_someone_to_look_at() {
        let scaled = json!({ "autoscaling": { "minReplicas": 2, "maxReplicas": 10 } });
        for status in [pods(3, 0, 3), pods(3, 2, 3), pods(1, 1, 1)] {
            let verdict = seen(&scaled, 5, &with_refusal(status));
            assert_eq!(verdict.reason, Reason::Refused);
            assert_eq!(verdict.state, State::Stalled);
        }
    }

    #[test]
    fn growth_that_takes_long_is_no_rollout_that_is_stuck() {
        let scaled = json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 10 } });
        let mut status = pods(5, 5, 3);
        status["conditions"] = json!([
            { "type": "Progressing", "status": "False", "message": "timed out" },
        ]);
        assert_eq!(seen(&scaled, 5, &status).state, State::Ready);
    }

    #[test]
    fn a_paused_deployment_stalls_however_its_pods_are() {
        let (two, off) = (json!({ "replicas": 2 }), json!({ "replicas": 0 }));
        for verdict in [
            paused(&two, 2, &pods(2, 2, 2)),
            paused(&two, 2, &pods(2, 0, 2)),
            paused(&off, 0, &pods(0, 0, 0)),
        ] {
            assert_eq!(verdict.state, State::Stalled);
            assert_eq!(verdict.reason, Reason::RolloutPaused);
            let resume = "`kubectl rollout resume deployment/gateway -n shop`";
            assert!(verdict.message.contains(resume), "{}", verdict.message);
        }
    }

    #[test]
    fn a_fixed_number_that_an_autoscaler_of_somebody_else_changes_stalls() {
        let found = beside_another_autoscaler();
        let fixed = json!({ "replicas": 2 });
        let verdict = judged(&fixed, deployment(5, &pods(5, 5, 5)), &found);
        assert_eq!(verdict.state, State::Stalled);
        assert_eq!(verdict.reason, Reason::ScaledByAnother);
    }

    #[test]
    fn objects_beside_a_ready_service_are_mentioned() {
        let found = beside_another_autoscaler();
        let scaled = json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 10 } });
        let verdict = judged(&scaled, deployment(1, &pods(1, 1, 1)), &found);
        assert_eq!(verdict.state, State::Ready);
        let lines: Vec<_> = verdict.message.lines().collect();
        assert_eq!(lines[0], "ready with 1 of 1 pods");
        assert!(lines[1].starts_with("HorizontalPodAutoscaler theirs"));
    }

    #[test]
    fn a_caller_names_the_callees_it_waits_for() {
        let callees = vec![Unready {
            service: "pay".to_owned(),
            why: Some("RolloutStalled".to_owned()),
        }];
        let verdict = verdict(
            &service(&json!({})),
            &ServiceOutcome::Waiting(callees),
            &Findings::default(),
        );
        assert_eq!(
            verdict.message,
            "waits for pay (RolloutStalled), which it calls"
        );
        assert_eq!(verdict.reason, Reason::WaitingForCallee);
    }
}
