//! Refuses fields that are not in the schema.

use serde_json::Value;

use super::{field_schema, inner};
use crate::refusal::Collector;

/// The fields of every Kubernetes object, which the schema of a kind does not repeat.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// Fields of `metadata` that a file may hold.
const OF_METADATA: [&str; 6] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "generateName",
];

pub(super) fn check(schema: &Value, object: &Value, collector: &mut Collector) {
    for (name, value) in object.as_object().into_iter().flatten() {
        match field_schema(schema, name) {
            Some(schema) if name != "metadata" => check_inner(schema, value, name, collector),
            None if !OF_EVERY_OBJECT.contains(&name.as_str()) => {
                let known = ["apiVersion", "kind", "metadata", "spec"];
                refuse(name, &known, collector);
            }
            _ => {}
        }
    }
    let metadata = object.get("metadata").and_then(Value::as_object);
    for name in metadata.into_iter().flat_map(serde_json::Map::keys) {
        if !OF_METADATA.contains(&name.as_str()) {
            refuse(&inner("metadata", name), &OF_METADATA, collector);
        }
    }
}

fn check_inner(schema: &Value, value: &Value, field_path: &str, collector: &mut Collector) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let field_path = inner(field_path, name);
                match field_schema(schema, name) {
                    Some(schema) => check_inner(schema, value, &field_path, collector),
                    None => refuse(&field_path, &known(schema), collector),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(schema) = schema.get("items") {
                    check_inner(schema, item, &format!("{field_path}[{index}]"), collector);
                }
            }
        }
        _ => {}
    }
}

fn known(schema: &Value) -> Vec<&str> {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .map(String::as_str)
        .collect()
}

fn refuse(field_path: &str, known: &[&str], collector: &mut Collector) {
    let expected = match known {
        [] => "there are no fields here".to_owned(),
        known => format!("expected one of {}", known.join(", ")),
    };
    collector.refuse(
        field_path,
        format!("unknown field \"{field_path}\": {expected}"),
    );
}
