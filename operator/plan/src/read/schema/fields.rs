//! Refuses fields that are not in the schema.

use serde_json::Value;

use super::{field_schema, inner};
use crate::refusal::Collector;

/// What a file says of an object. Its status is a cluster's affair.
const OF_A_FILE: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

pub(super) fn check(schema: &Value, object: &Value, collector: &mut Collector) {
    for (name, value) in object.as_object().into_iter().flatten() {
        match field_schema(schema, name) {
            Some(schema) => check_inner(schema, value, name, collector),
            None => refuse(name, &OF_A_FILE, collector),
        }
    }
}

fn check_inner(schema: &Value, value: &Value, field_path: &str, collector: &mut Collector) {
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
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
