//! Pods that left their ReplicaSet because somebody changed a label. They continue to run with the
//! service's settings and in its consumer group, but no controller counts, replaces or deletes
//! them. The operator makes the service their owner, so that they are deleted with it.

use innkeeper_crds::DomainService;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use serde_json::{Value, json};

use crate::ownership::controller_of;

/// Whether no controller owns an object that is not being deleted.
pub fn is_lost(object: &ObjectMeta) -> bool {
    object.deletion_timestamp.is_none() && controller_of(object).is_none()
}

/// Name of the ReplicaSet that controls a pod.
pub fn replica_set(pod: &ObjectMeta) -> Option<&str> {
    let controller = controller_of(pod)?;
    (controller.kind == ReplicaSet::kind(&())).then_some(controller.name.as_str())
}

/// The patch that makes the service an owner of a pod; `None` if it is one already. The reference
/// is not a controller reference, so the ReplicaSet can take the pod back when its label is
/// restored.
pub fn adoption(service: &DomainService, pod: &ObjectMeta) -> Option<Value> {
    let owner = OwnerReference {
        controller: None,
        block_owner_deletion: None,
        ..service.controller_owner_ref(&())?
    };
    let mut owners = pod.owner_references.iter().flatten();
    let is_adopted = owners.any(|it| it.uid == owner.uid);
    (!is_adopted).then(|| {
        json!({
            "metadata": {
                "uid": pod.uid,
                "resourceVersion": pod.resource_version,
                "ownerReferences": [owner],
            },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(owners: &Value) -> ObjectMeta {
        serde_json::from_value(json!({
            "name": "pay-1",
            "uid": "pod",
            "resourceVersion": "7",
            "ownerReferences": owners,
        }))
        .unwrap()
    }

    fn owner(uid: &str, controller: Option<bool>) -> Value {
        json!([{ "apiVersion": "v1", "kind": "Any", "name": "any", "uid": uid, "controller": controller }])
    }

    fn service() -> DomainService {
        let mut service = crate::fixtures::service("pay", &json!({}));
        service.metadata.uid = Some("me".to_owned());
        service
    }

    #[test]
    fn a_pod_that_no_controller_looks_after_is_lost() {
        assert!(is_lost(&pod(&json!([]))));
        assert!(is_lost(&pod(&owner("me", None))));
        assert!(!is_lost(&pod(&owner("set", Some(true)))));
    }

    #[test]
    fn the_replica_set_of_a_pod_is_its_controller() {
        let owned_by = |kind: &str, controller: bool| {
            let owners = json!([{ "apiVersion": "v1", "kind": kind, "name": "pay-1", "uid": "1", "controller": controller }]);
            replica_set(&pod(&owners)).map(str::to_owned)
        };
        assert_eq!(owned_by("ReplicaSet", true).as_deref(), Some("pay-1"));
        assert_eq!(owned_by("ReplicaSet", false), None);
        assert_eq!(owned_by("Job", true), None);
    }

    #[test]
    fn a_pod_that_is_on_its_way_out_is_not_lost() {
        let mut leaving = pod(&json!([]));
        leaving.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert!(!is_lost(&leaving));
    }

    #[test]
    fn a_lost_pod_goes_with_its_service_which_does_not_control_it() {
        let patch = adoption(&service(), &pod(&owner("someone", None))).unwrap();
        let metadata = &patch["metadata"];
        assert_eq!(metadata["uid"], "pod");
        assert_eq!(metadata["resourceVersion"], "7");
        assert_eq!(
            metadata["ownerReferences"],
            json!([{ "apiVersion": "innkeeper.dev/v1alpha1", "kind": "DomainService", "name": "pay", "uid": "me" }])
        );
    }

    #[test]
    fn a_pod_gets_its_service_as_owner_once() {
        assert_eq!(adoption(&service(), &pod(&owner("me", None))), None);
    }
}
