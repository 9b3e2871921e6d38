//! Objects for the tests of this crate and of the crates that use it.

use innkeeper_crds::DomainService;
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
