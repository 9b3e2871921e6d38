//! What was found beside a service and belongs in its message: objects that other people put there,
//! and pods that it has lost.

use innkeeper_contracts::settings::Database;
use innkeeper_crds::DomainService;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;

use super::lost::is_lost;
use super::others::{Foreign, clashing_budgets};
use super::pods::PodFindings;
use crate::render::{fewest_replicas, labels, pod_disruption_budget};

/// What was found beside a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Autoscalers of other people that scale the service's Deployment.
    pub autoscalers: Vec<Foreign>,
    /// Disruption budgets of other people that select pods which another budget selects as well.
    pub budgets: Vec<Foreign>,
    /// Pods of the service that no controller owns any more.
    pub lost_pods: Vec<ObjectMeta>,
    /// Names of `ReplicaSet`s with pods of the service that no Deployment owns any more.
    pub lost_sets: Vec<String>,
    /// Why pods are not ready.
    pub pods: PodFindings,
}

impl Findings {
    /// The findings about a service, from the autoscalers and budgets in its namespace and from the
    /// pods that run under its ServiceAccount.
    pub fn of(
        service: &DomainService,
        autoscalers: Vec<Foreign>,
        budgets: &[PodDisruptionBudget],
        pods: Vec<ObjectMeta>,
    ) -> Self {
        let (lost_pods, pods): (Vec<_>, Vec<_>) = pods.into_iter().partition(is_lost);
        let template = labels(service);
        let labels = pods.iter().filter_map(|pod| pod.labels.as_ref());
        Self {
            autoscalers,
            budgets: clashing_budgets(service, budgets, labels.chain([&template])),
            lost_pods,
            ..Self::default()
        }
    }

    /// Whether there are pods that no controller counts.
    pub const fn has_lost(&self) -> bool {
        !self.lost_pods.is_empty() || !self.lost_sets.is_empty()
    }

    /// What keeps a service with a fixed number of pods from having that number, and what to do
    /// about it.
    pub fn contested_number(&self, service: &DomainService) -> Option<String> {
        let workload = &service.spec.workload;
        let is_fixed = workload.autoscaling.is_none() && fewest_replicas(workload) > 0;
        if !is_fixed || self.autoscalers.is_empty() {
            return None;
        }
        let ask = if is_on_sqlite(service) {
            "" // A service on SQLite has one pod, so autoscaling would be refused.
        } else {
            "; or ask for `autoscaling` in place of `replicas`, and then delete it as well, so that one of two scales"
        };
        let each = self.autoscalers.iter().map(|Foreign { name, root }| {
            let delete = delete(service, root);
            format!(
                "HorizontalPodAutoscaler {name} of somebody else scales this service, whose number of pods is fixed and left to it until you decide: {delete}{ask}"
            )
        });
        Some(each.collect::<Vec<_>>().join("\n"))
    }

    /// What to mention even if the service is as it should be.
    pub fn notes(&self, service: &DomainService) -> Vec<String> {
        let pods = self.lost_pods.iter().filter_map(|pod| pod.name.as_ref());
        let idle = self
            .autoscalers
            .iter()
            .filter_map(|name| idle_autoscaler(service, name));
        let clashing = self
            .budgets
            .iter()
            .map(|name| clashing_budget(service, name));
        let lost = pods.map(|name| lost_pod(service, name));
        let sets = self.lost_sets.iter();
        let sets = sets.map(|name| lost_set(service, name));
        idle.chain(clashing).chain(lost).chain(sets).collect()
    }
}

fn idle_autoscaler(service: &DomainService, autoscaler: &Foreign) -> Option<String> {
    let workload = &service.spec.workload;
    let why = if workload.autoscaling.is_some() {
        "is to scale this service beside ours, and Kubernetes follows neither of two"
    } else if fewest_replicas(workload) == 0 {
        "would scale this service, were it not switched off"
    } else {
        return None;
    };
    let Foreign { name, root } = autoscaler;
    let delete = delete(service, root);
    Some(format!(
        "HorizontalPodAutoscaler {name} of somebody else {why}: {delete}"
    ))
}

fn clashing_budget(service: &DomainService, budget: &Foreign) -> String {
    let Foreign { name, root } = budget;
    let delete = delete(service, root);
    let remedy = if pod_disruption_budget(service).is_some() {
        format!("{delete}, or say `disruptionBudget: None` for this service")
    } else {
        format!("keep one of them; {delete}")
    };
    format!(
        "PodDisruptionBudget {name} of somebody else selects pods that another budget selects too, and Kubernetes evicts none of those, so that no drain ends: {remedy}"
    )
}

fn lost_pod(service: &DomainService, name: &str) -> String {
    let delete = delete(service, &format!("pod/{name}"));
    format!(
        "Pod {name} runs on with this service's settings although no ReplicaSet looks after it, as when a label of it was changed: {delete}; else it goes with the service"
    )
}

fn lost_set(service: &DomainService, name: &str) -> String {
    let delete = delete(service, &format!("replicaset/{name}"));
    format!(
        "ReplicaSet {name} keeps pods although no Deployment looks after it since a label of it was changed: {delete}"
    )
}

fn is_on_sqlite(service: &DomainService) -> bool {
    matches!(service.spec.settings.database, Some(Database::Sqlite(_)))
}

fn delete(service: &DomainService, what: &str) -> String {
    let namespace = service.namespace().unwrap_or_default();
    format!("delete it with `kubectl delete {what} -n {namespace}`")
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::settings::SqliteFile;
    use serde_json::{Value, json};

    use super::super::others::tests::service;
    use super::*;

    fn foreign(kind: &str, name: &str) -> Foreign {
        Foreign {
            name: name.to_owned(),
            root: format!("{kind}/{name}"),
        }
    }

    fn beside(autoscaler: &str) -> Findings {
        Findings {
            autoscalers: vec![foreign("horizontalpodautoscaler", autoscaler)],
            ..Findings::default()
        }
    }

    #[test]
    fn a_contested_number_has_two_ways_out() {
        let message = beside("theirs").contested_number(&service(&json!({ "replicas": 3 })));
        let message = message.unwrap();
        assert!(message.contains("`kubectl delete horizontalpodautoscaler/theirs -n shop`"));
        assert!(message.contains("ask for `autoscaling` in place of `replicas`"));
    }

    #[test]
    fn no_remedy_suggests_a_field_that_would_be_refused() {
        let mut service = service(&json!({}));
        let file = SqliteFile {
            file: "pay.db".into(),
        };
        service.spec.settings.database = Some(Database::Sqlite(file));
        let message = beside("theirs").contested_number(&service).unwrap();
        assert!(!message.contains("autoscaling"), "{message}");
    }

    #[test]
    fn an_autoscaler_that_contests_nothing_is_named() {
        let ours = service(&json!({ "autoscaling": { "maxReplicas": 3 } }));
        let off = service(&json!({ "replicas": 0 }));
        for (service, why) in [(ours, "beside ours"), (off, "switched off")] {
            assert_eq!(beside("theirs").contested_number(&service), None);
            let notes = beside("theirs").notes(&service);
            assert!(notes[0].contains(why), "{notes:?}");
            assert!(notes[0].contains("kubectl delete horizontalpodautoscaler/theirs -n shop"));
        }
    }

    #[test]
    fn a_second_budget_has_two_ways_out_while_ours_is_wanted() {
        let findings = Findings {
            budgets: vec![foreign("poddisruptionbudget", "guard")],
            ..Findings::default()
        };
        let ours = findings.notes(&service(&json!({}))).join("");
        assert!(
            ours.contains("`kubectl delete poddisruptionbudget/guard -n shop`"),
            "{ours}"
        );
        assert!(ours.contains("`disruptionBudget: None`"), "{ours}");
        let none = findings
            .notes(&service(&json!({ "disruptionBudget": "None" })))
            .join("");
        assert!(
            none.contains("keep one") && !none.contains("disruptionBudget"),
            "{none}"
        );
    }

    #[test]
    fn only_pods_without_a_controller_are_lost() {
        let pod = |name: &str, owners: Value| -> ObjectMeta {
            serde_json::from_value(json!({ "name": name, "ownerReferences": owners })).unwrap()
        };
        let set = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "pay-1", "uid": "set", "controller": true }]);
        let pods = vec![pod("kept", set), pod("lost", Value::Null)];
        let service = service(&json!({}));
        let findings = Findings::of(&service, Vec::new(), &[], pods);
        let notes = findings.notes(&service);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("Pod lost runs on"), "{notes:?}");
        assert!(notes[0].contains("`kubectl delete pod/lost -n shop`"));
    }

    #[test]
    fn a_replica_set_that_nobody_looks_after_is_named() {
        let findings = Findings {
            lost_sets: vec!["pay-1".to_owned()],
            ..Findings::default()
        };
        let notes = findings.notes(&service(&json!({})));
        assert!(
            notes[0].contains("`kubectl delete replicaset/pay-1 -n shop`"),
            "{notes:?}"
        );
    }
}
