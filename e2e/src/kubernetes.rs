//! Kubernetes objects as plain JSON, read over the API itself: polls by kubectl would keep the machine busy.

use serde_json::Value;

use crate::site::site;

/// A kind of objects: where the API has it.
#[derive(Clone, Copy, Debug)]
pub struct ResourcePath {
    /// The group and version, as the beginning of a path.
    pub group: &'static str,
    /// The plural name.
    pub plural: &'static str,
}

const fn resource_path(group: &'static str, plural: &'static str) -> ResourcePath {
    ResourcePath { group, plural }
}

/// Platforms.
pub const PLATFORMS: ResourcePath =
    resource_path("/apis/innkeeper.dev/v1alpha1", "bookingplatforms");
/// Services of platforms.
pub const DOMAIN_SERVICES: ResourcePath =
    resource_path("/apis/innkeeper.dev/v1alpha1", "domainservices");
/// Topics.
pub const TOPICS: ResourcePath = resource_path("/apis/innkeeper.dev/v1alpha1", "eventtopics");
/// Deployments.
pub const DEPLOYMENTS: ResourcePath = resource_path("/apis/apps/v1", "deployments");
/// What Deployments make.
pub const REPLICA_SETS: ResourcePath = resource_path("/apis/apps/v1", "replicasets");
/// Autoscalers.
pub const AUTOSCALERS: ResourcePath =
    resource_path("/apis/autoscaling/v2", "horizontalpodautoscalers");
/// Disruption budgets.
pub const DISRUPTION_BUDGETS: ResourcePath =
    resource_path("/apis/policy/v1", "poddisruptionbudgets");
/// Pods.
pub const PODS: ResourcePath = resource_path("/api/v1", "pods");
/// Services of Kubernetes.
pub const SERVICES: ResourcePath = resource_path("/api/v1", "services");
/// ConfigMaps.
pub const CONFIG_MAPS: ResourcePath = resource_path("/api/v1", "configmaps");
/// Accounts that pods run under.
pub const SERVICE_ACCOUNTS: ResourcePath = resource_path("/api/v1", "serviceaccounts");
/// Events that tell what happened.
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

/// What the API server has at a path; `None` if there is nothing.
pub fn fetch(path: &str) -> Option<Value> {
    let request = hyper::Request::get(path).body(Vec::new()).unwrap();
    match site().wait(site().client.request::<Value>(request)) {
        Ok(found) => Some(found),
        Err(kube::Error::Api(refusal)) if refusal.code == 404 => None,
        Err(error) => panic!("GET {path}: {error}"),
    }
}

/// The objects of a kind in a namespace, with these labels.
pub fn list(resource: ResourcePath, namespace: &str, labels: &str) -> Vec<Value> {
    let ResourcePath { group, plural } = resource;
    let path = format!("{group}/namespaces/{namespace}/{plural}?labelSelector={labels}");
    let list = fetch(&path).unwrap_or_default();
    list["items"].as_array().cloned().unwrap_or_default()
}

/// One object of a namespace.
pub fn find(resource: ResourcePath, namespace: &str, name: &str) -> Option<Value> {
    let ResourcePath { group, plural } = resource;
    fetch(&format!("{group}/namespaces/{namespace}/{plural}/{name}"))
}

/// An object's name.
pub fn name(object: &Value) -> String {
    text(&object["metadata"]["name"])
}

/// A text in an object; empty if there is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The condition of this type of an object, if it speaks of what the object's owner wants now.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let found = conditions
        .iter()
        .find(|condition| condition["type"] == kind);
    found.filter(|_| current)
}

/// What is said in the condition that holds of these types.
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
