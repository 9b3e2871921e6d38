//! Tests of properties that every `CustomResourceDefinition` must have.

use std::fs;
use std::path::Path;

use innkeeper_crds::generate;
use serde_json::Value;

const KINDS: [&str; 3] = ["BookingPlatform", "DomainService", "EventTopic"];

#[test]
fn the_files_are_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/innkeeper/definitions");
    for (name, yaml) in generate::generate() {
        let file = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(file == yaml, "{name} is stale: run `cargo xtask generate`");
    }
}

#[test]
fn a_definition_stays_under_200_kib() {
    for definition in generate::definitions() {
        let size = serde_json::to_vec(&definition).expect("plain data").len();
        let kind = &definition.spec.names.kind;
        assert!(size < 200 * 1024, "{kind} has {size} bytes");
    }
}

#[test]
fn every_field_is_documented() {
    let mut bare = Vec::new();
    for kind in KINDS {
        let schema = generate::schema(kind).expect("the kind has a schema");
        walk(&schema, kind, &mut |field_path, schema| {
            if schema.get("description").is_none() && !field_path.ends_with("[]") {
                bare.push(field_path.to_owned());
            }
        });
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

#[test]
fn every_text_list_and_map_is_bounded() {
    let mut unbounded = Vec::new();
    for kind in KINDS {
        let schema = generate::schema(kind).expect("the kind has a schema");
        walk(&schema, kind, &mut |field_path, schema| {
            if !is_bounded(schema) {
                unbounded.push(field_path.to_owned());
            }
        });
    }
    assert!(unbounded.is_empty(), "without a bound: {unbounded:#?}");
}

#[test]
fn every_kind_is_listed_with_the_others() {
    for definition in generate::definitions() {
        let names = &definition.spec.names;
        assert_eq!(names.categories, Some(vec!["innkeeper".to_owned()]));
        assert!(names.short_names.is_some(), "{}", names.kind);
        let columns: Vec<_> = definition.spec.versions[0]
            .additional_printer_columns
            .iter()
            .flatten()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(columns[..2], ["Ready", "Reason"], "{}", names.kind);
        assert_eq!(columns.last(), Some(&"Age"), "{}", names.kind);
    }
}

#[test]
fn a_status_begins_unobserved() {
    for kind in KINDS {
        let schema = generate::schema(kind).expect("the kind has a schema");
        let default = schema.pointer("/properties/status/default/observedGeneration");
        assert_eq!(default, Some(&Value::from(-1)), "{kind}");
    }
}

fn is_bounded(schema: &Value) -> bool {
    let has = |key: &str| schema.get(key).is_some();
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => has("maxLength") || has("enum"),
        Some("array") => has("maxItems"),
        Some("object") => !has("additionalProperties") || has("maxProperties"),
        _ => true,
    }
}

fn walk(schema: &Value, field_path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(field_path, schema);
    let fields = schema.get("properties").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        walk(field, &format!("{field_path}.{name}"), visit);
    }
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{field_path}[]"), visit);
    }
    if let Some(values) = schema
        .get("additionalProperties")
        .filter(|any| any.is_object())
    {
        walk(values, &format!("{field_path}.*[]"), visit);
    }
}
