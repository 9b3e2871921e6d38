//! Objects that other people put beside a service: autoscalers that scale it, and disruption
//! budgets that select its pods.

use std::collections::{BTreeMap, BTreeSet};

use innkeeper_crds::DomainService;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::{Selector, SelectorExt as _};
use kube::{Resource, ResourceExt};

use crate::ownership::{Ownership, controller_of, ownership_of};
use crate::render;

/// Labels of a pod, by their names.
pub type Labels = BTreeMap<String, String>;

/// An object that does not belong to the service.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Foreign {
    /// Name of the object.
    pub name: String,
    /// What to delete so that the object stays away, as kubectl takes it: the object itself, or the
    /// controller that would create it again.
    pub root: String,
}

impl Foreign {
    /// Describes an object that does not belong to the service.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        let name = object.name_any();
        let controller = controller_of(object.meta());
        let own = || format!("{}/{name}", K::kind(&()).to_lowercase());
        Self {
            root: controller.map_or_else(own, as_kubectl_takes_it),
            name,
        }
    }
}

fn as_kubectl_takes_it(owner: &OwnerReference) -> String {
    let kind = owner.kind.to_lowercase();
    match owner.api_version.split_once('/') {
        Some((group, _version)) => format!("{kind}.{group}/{}", owner.name),
        None => format!("{kind}/{}", owner.name),
    }
}

/// The name of the Deployment that an autoscaler scales; `None` if it scales something else.
pub fn scaled_deployment(autoscaler: &HorizontalPodAutoscaler) -> Option<&str> {
    let target = &autoscaler.spec.as_ref()?.scale_target_ref;
    let (group, _version) = target.api_version.as_deref()?.split_once('/')?;
    let is_deployment = group == Deployment::group(&()) && target.kind == Deployment::kind(&());
    is_deployment.then_some(target.name.as_str())
}

/// The autoscalers that scale a service's Deployment and do not belong to the service.
pub fn foreign_autoscalers(
    service: &DomainService,
    autoscalers: &[HorizontalPodAutoscaler],
) -> Vec<Foreign> {
    let deployment = service.name_any();
    autoscalers
        .iter()
        .filter(|it| scaled_deployment(it) == Some(deployment.as_str()))
        .filter(|it| is_foreign(service, *it))
        .map(Foreign::of)
        .collect()
}

/// The disruption budgets that do not belong to the service and select a pod which another budget
/// selects as well. Kubernetes does not evict such a pod at all.
pub fn clashing_budgets<'a>(
    service: &DomainService,
    budgets: &[PodDisruptionBudget],
    pods: impl IntoIterator<Item = &'a Labels>,
) -> Vec<Foreign> {
    let wants_ours = render::pod_disruption_budget(service).is_some();
    let counts = |budget: &&PodDisruptionBudget| wants_ours || is_foreign(service, *budget);
    let mut clashing = BTreeSet::new();
    for pod in pods {
        let select_it = budgets.iter().filter(|budget| selects(budget, pod));
        let select_it: Vec<_> = select_it.filter(counts).collect();
        if select_it.len() > 1 {
            let foreign = select_it.into_iter().filter(|it| is_foreign(service, *it));
            clashing.extend(foreign.map(Foreign::of));
        }
    }
    clashing.into_iter().collect()
}

/// Whether a disruption budget selects a pod of its namespace. A budget without a selector selects
/// no pod, and one with an empty selector selects every pod.
pub fn selects(budget: &PodDisruptionBudget, pod: &Labels) -> bool {
    let selector = budget.spec.as_ref().and_then(|it| it.selector.clone());
    let selector = selector.and_then(|it| Selector::try_from(it).ok());
    selector.is_some_and(|it| it.matches(pod))
}

fn is_foreign(service: &DomainService, object: &impl ResourceExt) -> bool {
    let owner = service.controller_owner_ref(&()).unwrap_or_default();
    ownership_of(Some(object.meta()), &owner) == Ownership::Foreign
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::render::labels;

    /// A service whose workload has these fields.
    pub(in crate::domain_service) fn service(workload: &Value) -> DomainService {
        let mut service = crate::fixtures::service("pay", workload);
        service.metadata.uid = Some("me".to_owned());
        service
    }

    fn metadata(name: &str, owner: Option<&str>) -> Value {
        let references = |uid: &str| json!([{ "apiVersion": "innkeeper.dev/v1alpha1", "kind": "DomainService", "name": "pay", "uid": uid }]);
        json!({ "name": name, "ownerReferences": owner.map(references) })
    }

    fn autoscaler(owner: Option<&str>, target: [&str; 3]) -> HorizontalPodAutoscaler {
        let [api_version, kind, name] = target;
        serde_json::from_value(json!({
            "metadata": metadata("theirs", owner),
            "spec": {
                "scaleTargetRef": { "apiVersion": api_version, "kind": kind, "name": name },
                "maxReplicas": 5,
            },
        }))
        .unwrap()
    }

    fn budget(name: &str, owner: Option<&str>, selector: &Value) -> PodDisruptionBudget {
        serde_json::from_value(json!({
            "metadata": metadata(name, owner),
            "spec": { "selector": selector },
        }))
        .unwrap()
    }

    const PAY: [&str; 3] = ["apps/v1", "Deployment", "pay"];

    #[test]
    fn an_autoscaler_is_foreign_if_it_scales_our_deployment_and_is_not_ours() {
        let found = |owner, target| {
            let one = [autoscaler(owner, target)];
            foreign_autoscalers(&service(&json!({})), &one).len()
        };
        assert_eq!(found(None, PAY), 1);
        assert_eq!(found(Some("me"), PAY), 0);
        assert_eq!(found(Some("a former one"), PAY), 0);
        for target in [
            ["apps/v1", "Deployment", "rent"],
            ["apps/v1", "StatefulSet", "pay"],
            ["example.org/v1", "Deployment", "pay"],
            ["v1", "Deployment", "pay"],
        ] {
            assert_eq!(found(None, target), 0, "{target:?}");
        }
    }

    #[test]
    fn a_selector_is_judged_as_kubernetes_does() {
        let pod = labels(&service(&json!({})));
        let label = crate::names::SERVICE_LABEL;
        let expression = |operator: &str, values: Value| json!({ "matchExpressions": [{ "key": label, "operator": operator, "values": values }] });
        for (selector, matches) in [
            (Value::Null, false),
            (json!({}), true),
            (json!({ "matchLabels": { label: "pay" } }), true),
            (json!({ "matchLabels": { label: "rent" } }), false),
            (
                json!({ "matchLabels": { label: "pay", "team": "money" } }),
                false,
            ),
            (expression("In", json!(["pay", "rent"])), true),
            (expression("In", json!(["rent"])), false),
            (expression("NotIn", json!(["rent"])), true),
            (expression("NotIn", json!(["pay"])), false),
            (expression("Exists", Value::Null), true),
            (expression("DoesNotExist", Value::Null), false),
            (
                json!({ "matchExpressions": [{ "key": "team", "operator": "NotIn", "values": ["a"] }] }),
                true,
            ),
            (
                json!({ "matchExpressions": [{ "key": "team", "operator": "DoesNotExist" }] }),
                true,
            ),
        ] {
            let budget = budget("guard", None, &selector);
            assert_eq!(selects(&budget, &pod), matches, "{selector}");
        }
    }

    fn clashing(workload: &Value, budgets: &[PodDisruptionBudget]) -> Vec<String> {
        let service = service(workload);
        let found = clashing_budgets(&service, budgets, [&labels(&service)]);
        found.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn a_budget_of_somebody_else_clashes_with_ours() {
        let everything = json!({});
        let both = [
            budget("pay", Some("me"), &everything),
            budget("guard", None, &everything),
        ];
        assert_eq!(clashing(&json!({}), &both), ["guard"]);
        assert!(clashing(&json!({}), &both[..1]).is_empty());
        let elsewhere = budget("guard", None, &json!({ "matchLabels": { "app": "other" } }));
        assert!(clashing(&json!({}), &[both[0].clone(), elsewhere]).is_empty());
    }

    #[test]
    fn a_budget_of_ones_own_is_alone_once_ours_is_not_asked_for() {
        let everything = json!({});
        let none = json!({ "disruptionBudget": "None" });
        let ours = budget("pay", Some("me"), &everything);
        let guard = budget("guard", None, &everything);
        assert!(clashing(&none, &[ours.clone(), guard.clone()]).is_empty());
        let another = budget("another", None, &everything);
        assert_eq!(
            clashing(&none, &[ours, guard, another]),
            ["another", "guard"]
        );
    }

    #[test]
    fn budgets_of_different_pods_do_not_clash() {
        let none = service(&json!({ "disruptionBudget": "None" }));
        let by_hash = |hash: &str| json!({ "matchLabels": { "pod-template-hash": hash } });
        let budgets = [
            budget("a", None, &by_hash("1")),
            budget("b", None, &by_hash("2")),
        ];
        let pods = ["1", "2"]
            .map(|hash| Labels::from([("pod-template-hash".to_owned(), hash.to_owned())]));
        assert!(clashing_budgets(&none, &budgets, &pods).is_empty());
    }

    #[test]
    fn an_object_that_a_controller_would_create_again_is_deleted_with_the_controller() {
        let mut theirs = autoscaler(None, PAY);
        assert_eq!(Foreign::of(&theirs).root, "horizontalpodautoscaler/theirs");
        let owners = |api_version: &str, kind: &str| {
            let owner = json!([{ "apiVersion": api_version, "kind": kind, "name": "pay", "uid": "1", "controller": true }]);
            serde_json::from_value(owner).unwrap()
        };
        theirs.metadata.owner_references = owners("keda.sh/v1alpha1", "ScaledObject");
        assert_eq!(Foreign::of(&theirs).root, "scaledobject.keda.sh/pay");
        theirs.metadata.owner_references = owners("v1", "ConfigMap");
        assert_eq!(Foreign::of(&theirs).root, "configmap/pay");
    }
}
