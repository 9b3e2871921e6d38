//! Objects for the tests of this crate and of the crates that use it.

use innkeeper_crds::{DomainService, EventTopic};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::{Value, json};

/// A gateway in the namespace `shop`, with these further fields in its spec.
pub fn service(name: &str, spec: &Value) -> DomainService {
    let settings = json!({
        "namespace": "shop",
        "platform": "rentcar",
        "service": name,
        "component": { "gateway": { "routes": [] } },
    });
    let mut object = json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "DomainService",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("shop/{name}") },
        "spec": { "image": "innkeeper:1", "settings": settings },
    });
    let fields = spec.as_object().expect("a spec is an object");
    for (field, value) in fields {
        object["spec"][field] = value.clone();
    }
    serde_json::from_value(object).expect("the object is complete")
}

/// An EventTopic in the namespace `default` that was created at this instant and describes a topic
/// of these brokers.
pub fn event_topic(name: &str, created: &str, topic: &str, brokers: &str) -> EventTopic {
    let object = json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "EventTopic",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "creationTimestamp": created,
        },
        "spec": { "topicName": topic, "bootstrapServers": brokers },
    });
    serde_json::from_value(object).expect("the object is complete")
}

/// The controller reference to a service `pay` with this UID.
pub fn owner(uid: &str) -> OwnerReference {
    OwnerReference {
        kind: "DomainService".to_owned(),
        name: "pay".to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    }
}

/// The metadata of an object with the UID `its-own` and at most one owner.
pub fn owned_by(owner: Option<OwnerReference>) -> ObjectMeta {
    ObjectMeta {
        uid: Some("its-own".to_owned()),
        owner_references: owner.map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}
