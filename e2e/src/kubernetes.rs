//! Reads Kubernetes objects as plain JSON directly from the API, because polling with kubectl would
//! keep the machine busy.

use serde_json::Value;

use crate::site::site;

/// The path of a kind of object in the API.
#[derive(Clone, Copy, Debug)]
pub struct ResourcePath {
    /// The beginning of the path, with group and version.
    pub group: &'static str,
    /// The plural name of the kind.
    pub plural: &'static str,
}

const fn resource_path(group: &'static str, plural: &'static str) -> ResourcePath {
    ResourcePath { group, plural }
}

pub const PLATFORMS: ResourcePath =
    resource_path("/apis/innkeeper.dev/v1alpha1", "bookingplatforms");
pub const DOMAIN_SERVICES: ResourcePath =
    resource_path("/apis/innkeeper.dev/v1alpha1", "domainservices");
pub const TOPICS: ResourcePath = resource_path("/apis/innkeeper.dev/v1alpha1", "eventtopics");
pub const DEPLOYMENTS: ResourcePath = resource_path("/apis/apps/v1", "deployments");
/// `ReplicaSet` objects, which Deployments create.
pub const REPLICA_SETS: ResourcePath = resource_path("/apis/apps/v1", "replicasets");
pub const AUTOSCALERS: ResourcePath =
    resource_path("/apis/autoscaling/v2", "horizontalpodautoscalers");
pub const DISRUPTION_BUDGETS: ResourcePath =
    resource_path("/apis/policy/v1", "poddisruptionbudgets");
pub const PODS: ResourcePath = resource_path("/api/v1", "pods");
/// `Service` objects of Kubernetes.
pub const SERVICES: ResourcePath = resource_path("/api/v1", "services");
pub const CONFIG_MAPS: ResourcePath = resource_path("/api/v1", "configmaps");
pub const SERVICE_ACCOUNTS: ResourcePath = resource_path("/api/v1", "serviceaccounts");
/// `Event` objects of the group `events.k8s.io`.
pub const EVENTS: ResourcePath = resource_path("/apis/events.k8s.io/v1", "events");

/// Every kind that the operator writes.
pub const OURS: [ResourcePath; 9] = [
    PLATFORMS,
    DOMAIN_SERVICES,
    TOPICS,
    DEPLOYMENTS,
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
    SERVICES,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
];

/// Fetches the object at a path; `None` if there is none.
pub fn fetch(path: &str) -> Option<Value> {
    let request = ureq::http::Request::get(path).body(Vec::new()).unwrap();
    match site().wait(site().client.request::<Value>(request)) {
        Ok(found) => Some(found),
        Err(kube::Error::Api(refusal)) if refusal.code == 404 => None,
        Err(error) => panic!("GET {path}: {error}"),
    }
}

/// Lists the objects in a namespace with these labels.
pub fn list(resource: ResourcePath, namespace: &str, labels: &str) -> Vec<Value> {
    let ResourcePath { group, plural } = resource;
    let path = format!("{group}/namespaces/{namespace}/{plural}?labelSelector={labels}");
    let list = fetch(&path).unwrap_or_default();
    list["items"].as_array().cloned().unwrap_or_default()
}

/// Fetches one object of a namespace; `None` if there is none.
pub fn find(resource: ResourcePath, namespace: &str, name: &str) -> Option<Value> {
    let ResourcePath { group, plural } = resource;
    fetch(&format!("{group}/namespaces/{namespace}/{plural}/{name}"))
}

/// Name of an object.
pub fn name(object: &Value) -> String {
    text(&object["metadata"]["name"])
}

/// A value as text; empty if it is no string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The condition with this type, if it is about the present generation of the object.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let found = conditions
        .iter()
        .find(|condition| condition["type"] == kind);
    found.filter(|_| current)
}

/// The message of the condition with this type, if it is true.
pub fn message(object: &Value, kind: &str) -> Result<String, String> {
    match condition(object, kind) {
        Some(condition) if condition["status"] == "True" => Ok(text(&condition["message"])),
        _ => Err(format!(
            "{} is not {kind}: {}",
            name(object),
            object["status"]
        )),
    }
}
