//! Checks lists: their length, and that nothing is in them twice.

use serde_json::{Map, Value};

use crate::refusal::Collector;

pub(super) fn check(schema: &Value, items: &[Value], field_path: &str, collector: &mut Collector) {
    check_length(schema, items.len() as u64, field_path, collector);
    let mut seen: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(key) = key(schema, item) else {
            continue;
        };
        if seen.contains(&key) {
            collector.refuse(
                format!("{field_path}[{index}]"),
                format!("Duplicate value: {key}"),
            );
        }
        seen.push(key);
    }
}

fn check_length(schema: &Value, length: u64, field_path: &str, collector: &mut Collector) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    if let Some(most) = bound("maxItems").filter(|most| length > *most) {
        let message = format!("Too many: {length}: must have at most {most} items");
        collector.refuse(field_path, message);
    }
    if let Some(fewest) = bound("minItems").filter(|fewest| length < *fewest) {
        collector.refuse(
            field_path,
            format!(
                "Invalid value: {length}: {field_path} in body should have at least {fewest} items"
            ),
        );
    }
}

/// The part of an item that must be unique in its list: the whole item of a set, or the key fields
/// of a map.
fn key(schema: &Value, item: &Value) -> Option<Value> {
    match schema.get("x-kubernetes-list-type")?.as_str()? {
        "set" => Some(item.clone()),
        "map" => {
            let names = schema.get("x-kubernetes-list-map-keys")?.as_array()?;
            let fields: Map<String, Value> = names
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())))
                .collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        _ => None,
    }
}
