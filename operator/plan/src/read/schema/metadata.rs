//! The fields of every Kubernetes object, which the schema of a kind does not repeat
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>).

use serde_json::{Map, Value, json};

/// The schemas of `apiVersion`, `kind` and `metadata`.
pub fn of_every_object() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    let texts = json!({ "type": "object", "additionalProperties": text });
    let objects = json!({
        "type": "array",
        "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
    });
    let metadata = json!({
        "name": text,
        "namespace": text,
        "labels": texts,
        "annotations": texts,
        "finalizers": { "type": "array", "items": text },
        "generateName": text,
        "ownerReferences": objects,
        "managedFields": objects,
        "creationTimestamp": text,
        "deletionTimestamp": text,
        "deletionGracePeriodSeconds": number,
        "generation": number,
        "resourceVersion": text,
        "selfLink": text,
        "uid": text,
    });
    let fields = json!({
        "apiVersion": text,
        "kind": text,
        "metadata": { "type": "object", "properties": metadata },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
