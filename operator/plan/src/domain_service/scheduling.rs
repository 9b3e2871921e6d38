//! What the scheduler says about pods that have no node yet.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, PodCondition};

/// The condition of a pod that has a node.
const SCHEDULED: &str = "PodScheduled";

/// What the scheduler says about pods that have no node yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scheduling {
    /// Why pods get no node, without repetitions.
    pub refusals: BTreeSet<String>,
    /// Whether there are pods that the scheduler has not decided about.
    pub is_undecided: bool,
}

impl Scheduling {
    /// What the scheduler says about pods that are pending.
    pub fn of(pods: &[Pod]) -> Self {
        let pods = pods.iter();
        let staying = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let decisions: Vec<_> = staying.map(decision).collect();
        let refused = decisions
            .iter()
            .copied()
            .flatten()
            .filter(|it| it.status == "False");
        Self {
            refusals: refused.map(refusal).collect(),
            is_undecided: decisions.contains(&None),
        }
    }

    /// Why pods get no node, after a colon; empty if the scheduler refuses none.
    pub fn suffix(&self) -> String {
        let refusals: Vec<&str> = self.refusals.iter().map(String::as_str).collect();
        match refusals.as_slice() {
            [] => String::new(),
            refusals => format!(": {}", refusals.join("; ")),
        }
    }
}

fn decision(pod: &Pod) -> Option<&PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|it| it.type_ == SCHEDULED)
}

fn refusal(condition: &PodCondition) -> String {
    let reason = condition.reason.as_deref().unwrap_or("Unschedulable");
    match condition.message.as_deref() {
        Some(message) => format!("{reason}: {}", message.trim_end_matches('.')),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(conditions: &Value) -> Pod {
        serde_json::from_value(json!({ "status": { "conditions": conditions } })).unwrap()
    }

    fn refused(message: &str) -> Pod {
        pod(&json!([
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message },
        ]))
    }

    #[test]
    fn a_reason_that_several_pods_have_is_told_once() {
        let pods = ["no memory.", "no cpu", "no cpu"].map(refused);
        let suffix = Scheduling::of(&pods).suffix();
        assert_eq!(suffix, ": Unschedulable: no cpu; Unschedulable: no memory");
    }

    #[test]
    fn a_pod_that_has_a_node_or_goes_needs_no_reason() {
        let placed = pod(&json!([{ "type": "PodScheduled", "status": "True" }]));
        let mut going = refused("no cpu");
        going.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).ok();
        assert_eq!(Scheduling::of(&[placed, going]), Scheduling::default());
        assert_eq!(Scheduling::default().suffix(), "");
    }

    #[test]
    fn a_pod_without_the_condition_is_undecided() {
        let pods = [refused("no cpu"), pod(&Value::Null)];
        assert!(Scheduling::of(&pods).is_undecided);
        assert!(!Scheduling::of(&pods[..1]).is_undecided);
    }
}
