//! The objects that a service should have, given the Deployment that exists.

use innkeeper_crds::DomainService;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource as _;

use super::template::keep_running_pods;
use crate::names::FIELD_MANAGER;
use crate::render::{self, ObservedReplicas};
use crate::rendered::Rendered;

/// Every object of the service as it should be.
pub fn desired(
    service: &DomainService,
    deployment: Option<&Deployment>,
    autoscaled_by_another: bool,
) -> Vec<Rendered> {
    let workload = &service.spec.workload;
    let observed = deployment.and_then(|it| observed_replicas(it, autoscaled_by_another));
    let replicas = render::replicas(workload, observed);
    let mut objects = render::objects(service, replicas);
    // An apply with a number of pods that was observed must not overwrite a newer number. The
    // resource version turns that into a conflict.
    let is_autoscaled = workload.autoscaling.is_some() || autoscaled_by_another;
    let is_guarded = is_autoscaled && replicas.is_some();
    let is_deployment = |it: &&mut Rendered| it.resource.kind == Deployment::kind(&());
    let rendered = objects.iter_mut().find(is_deployment);
    if let Some((rendered, live)) = rendered.zip(deployment) {
        keep_running_pods(rendered, live);
        if is_guarded {
            let version = &live.metadata.resource_version;
            rendered
                .object
                .metadata
                .resource_version
                .clone_from(version);
        }
    }
    objects
}

fn observed_replicas(
    deployment: &Deployment,
    autoscaled_by_another: bool,
) -> Option<ObservedReplicas> {
    let managers = deployment.metadata.managed_fields.iter().flatten();
    let owners = managers.filter(|entry| owns_replicas(entry));
    let (ours, others): (Vec<_>, Vec<_>) =
        owners.partition(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    Some(ObservedReplicas {
        count: deployment.spec.as_ref()?.replicas?,
        // After `kubectl scale` to 0 nobody owns the field, because a Scale omits a 0.
        owned_by_another: !others.is_empty() || ours.is_empty(),
        autoscaled_by_another,
    })
}

fn owns_replicas(entry: &ManagedFieldsEntry) -> bool {
    entry
        .fields_v1
        .as_ref()
        .is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::service;

    fn deployment(managers: &serde_json::Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "name": "pay", "resourceVersion": "7", "managedFields": managers },
            "spec": {
                "replicas": 4,
                "selector": {},
                "template": {},
            },
        }))
        .unwrap()
    }

    fn owner_of_replicas(manager: &str) -> serde_json::Value {
        json!({ "manager": manager, "fieldsV1": { "f:spec": { "f:replicas": {} } } })
    }

    fn autoscaled() -> DomainService {
        service(
            "pay",
            &json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 10 } }),
        )
    }

    fn rendered_deployment(seen: Option<&Deployment>) -> serde_json::Value {
        deployment_of(&desired(&autoscaled(), seen, false))
    }

    fn deployment_of(objects: &[Rendered]) -> serde_json::Value {
        let deployment = objects
            .iter()
            .find(|rendered| rendered.resource.kind == "Deployment")
            .unwrap();
        serde_json::to_value(&deployment.object).unwrap()
    }

    #[test]
    fn a_number_that_was_seen_is_asked_for_only_while_nothing_has_changed() {
        let mine = deployment(&json!([owner_of_replicas(FIELD_MANAGER)]));
        let asked = rendered_deployment(Some(&mine));
        assert_eq!(asked["spec"]["replicas"], 4);
        assert_eq!(asked["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn a_number_that_another_owns_is_left_to_it() {
        let theirs = deployment(&json!([
            { "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } },
            owner_of_replicas("kube-controller-manager"),
        ]));
        let asked = rendered_deployment(Some(&theirs));
        assert_eq!(asked["spec"].get("replicas"), None);
        assert_eq!(asked["metadata"].get("resourceVersion"), None);
    }

    #[test]
    fn no_pods_that_nobody_owns_up_to_were_asked_for_by_another() {
        let ours =
            json!({ "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } });
        let mut scaled = deployment(&json!([ours]));
        scaled.spec.as_mut().unwrap().replicas = Some(0);
        let asked = rendered_deployment(Some(&scaled));
        assert_eq!(asked["spec"].get("replicas"), None);
    }

    #[test]
    fn a_fixed_number_is_left_to_the_autoscaler_of_somebody_else_alone() {
        let fixed = service("pay", &json!({ "replicas": 2 }));
        let seen = deployment(&json!([
            { "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } },
            owner_of_replicas("kube-controller-manager"),
        ]));
        let alone = deployment_of(&desired(&fixed, Some(&seen), false));
        assert_eq!(alone["spec"]["replicas"], 2);
        assert_eq!(alone["metadata"].get("resourceVersion"), None);
        let beside = deployment_of(&desired(&fixed, Some(&seen), true));
        assert_eq!(beside["spec"].get("replicas"), None);
    }

    #[test]
    fn a_number_that_is_still_ours_beside_an_autoscaler_of_somebody_else_is_guarded() {
        let fixed = service("pay", &json!({ "replicas": 2 }));
        let mine = deployment(&json!([owner_of_replicas(FIELD_MANAGER)]));
        let beside = deployment_of(&desired(&fixed, Some(&mine), true));
        assert_eq!(beside["spec"]["replicas"], 4);
        assert_eq!(beside["metadata"]["resourceVersion"], "7");
    }
}
