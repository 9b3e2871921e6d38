//! The owners of fields, in the form of `managedFields`. A list is owned as a whole.

use serde_json::{Map, Value, json};

/// What nobody owns in metadata.
const UNOWNED: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
];

/// The objects that our definitions call atomic, which are owned as a whole.
const ATOMIC: [&str; 2] = ["defaults", "defaultsRollout"];

/// The part of an object that can be owned.
pub(super) fn ownable(object: &Value) -> Value {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    fields.retain(|field, _| !["apiVersion", "kind"].contains(&field.as_str()));
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !UNOWNED.contains(&field.as_str()));
    }
    fields.retain(|field, value| field != "metadata" || *value != json!({}));
    Value::Object(fields)
}

/// The fields of a value that differ from those of an earlier one; null if there is none.
pub(super) fn changed(before: &Value, after: &Value) -> Value {
    match after.as_object() {
        _ if before == after => Value::Null,
        Some(fields) if !fields.is_empty() => tree(fields.iter().map(|(field, after)| {
            let before = before.get(field).unwrap_or(&Value::Null);
            let below = match changed(before, after) {
                below if !below.is_null() && ATOMIC.contains(&field.as_str()) => json!({}),
                below => below,
            };
            (format!("f:{field}"), below)
        })),
        _ => json!({}),
    }
}

/// All fields of a value.
pub(super) fn all(value: &Value) -> Value {
    changed(&Value::Null, value)
}

/// The fields of a tree that are not in another one; null if there is none.
pub(super) fn without(one: &Value, other: &Value) -> Value {
    match (one.as_object(), other.as_object()) {
        (_, None) => one.clone(),
        (Some(fields), Some(others)) if !fields.is_empty() && !others.is_empty() => {
            tree(fields.iter().map(|(field, below)| {
                let other = others.get(field).unwrap_or(&Value::Null);
                (field.clone(), without(below, other))
            }))
        }
        _ => Value::Null,
    }
}

/// The fields that are in any of two trees.
pub(super) fn both(mut one: Value, other: &Value) -> Value {
    if !other.is_null() {
        json_patch::merge(&mut one, other);
    }
    one
}

fn tree(fields: impl Iterator<Item = (String, Value)>) -> Value {
    let fields: Map<_, _> = fields.filter(|(_, below)| !below.is_null()).collect();
    if fields.is_empty() {
        Value::Null
    } else {
        Value::Object(fields)
    }
}

/// Removes the fields of a tree from a value.
pub(super) fn remove(value: &mut Value, tree: &Value) {
    let (Some(fields), Some(tree)) = (value.as_object_mut(), tree.as_object()) else {
        return;
    };
    for (field, below) in tree {
        let field = field.trim_start_matches("f:");
        if *below == json!({}) {
            fields.shift_remove(field);
        } else if let Some(value) = fields.get_mut(field) {
            remove(value, below);
        }
    }
}

/// A manager of fields: its name, its operation, and the subresource that it writes, if any.
pub(super) type Manager<'a> = (&'a str, &'static str, Option<&'a str>);

fn is_of(entry: &Value, (name, operation, subresource): Manager) -> bool {
    entry["manager"] == name
        && entry["operation"] == operation
        && entry["subresource"].as_str() == subresource
}

fn entries(object: &Value) -> Vec<Value> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.cloned().unwrap_or_default()
}

/// The fields that a manager owns in an object; null if there is none.
pub(super) fn owned(object: &Value, manager: Manager) -> Value {
    let mut entries = entries(object).into_iter();
    let entry = entries.find(|entry| is_of(entry, manager));
    entry.map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

/// Makes a manager the owner of exactly these fields, and takes others from everybody else.
pub(super) fn set_owned(object: &mut Value, manager: Manager, owned: &Value, taken: &Value) {
    let mut left = entries(object);
    left.retain(|entry| !is_of(entry, manager));
    for entry in &mut left {
        entry["fieldsV1"] = without(&entry["fieldsV1"], taken);
    }
    let (name, operation, subresource) = manager;
    left.push(json!({
        "manager": name,
        "operation": operation,
        "subresource": subresource,
        "apiVersion": object["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
    }));
    left.retain(|entry| !entry["fieldsV1"].is_null());
    object["metadata"]["managedFields"] = Value::Array(left);
}
