//! Checks an object against the structural schema, with the API server's messages.

mod fields;
mod lists;
mod metadata;
mod scalars;

use innkeeper_crds::generate;
use kube::core::cel::apply_defaults;
use serde_json::{Map, Value, json};

use crate::refusal::{Collector, Refusals, Refuser};

/// The structural schema of one kind.
#[derive(Clone, Debug)]
pub struct Schema(Value);

impl Schema {
    /// The schema of one of Innkeeper's kinds, by its name.
    pub fn of(kind: &str) -> Self {
        let mut schema = generate::schema(kind).expect("every kind of this API has a schema");
        if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            fields.extend(metadata::of_every_object());
        }
        Self(schema)
    }

    pub(super) const fn as_json(&self) -> &Value {
        &self.0
    }

    /// The object with every default that the API server would fill in.
    pub fn with_defaults(&self, object: &Value) -> Value {
        apply_defaults(&self.0, object)
    }

    /// Refuses every field that is not in the schema, as kubectl does.
    pub fn check_fields(&self, object: &Value) -> Result<(), Refusals> {
        let mut collector = Collector::new(Refuser::Parser);
        fields::check(&self.0, object, &mut collector);
        collector.finish(())
    }

    /// Refuses an object whose `apiVersion` or `kind` is no text, which says nothing about its
    /// schema.
    pub fn check_kind(object: &Value) -> Result<(), Refusals> {
        let text = json!({ "type": "string" });
        let mut collector = Collector::new(Refuser::Schema);
        for name in ["apiVersion", "kind"] {
            if let Some(value) = object.get(name).filter(|value| !value.is_null()) {
                scalars::check_type(&text, value, name, &mut collector);
            }
        }
        collector.finish(())
    }

    /// Refuses every value that does not fit the schema, as the API server does.
    pub fn check(&self, object: &Value) -> Result<(), Refusals> {
        let mut collector = Collector::new(Refuser::Schema);
        check_value(&self.0, object, "", &mut collector);
        let has_metadata = object.get("metadata").is_none_or(Value::is_object);
        if has_metadata && object.pointer("/metadata/name").is_none() {
            collector.refuse("metadata.name", "Required value: name is required");
        }
        collector.finish(())
    }
}

fn check_value(schema: &Value, value: &Value, field_path: &str, collector: &mut Collector) {
    if !scalars::check_type(schema, value, field_path, collector) {
        return;
    }
    scalars::check(schema, value, field_path, collector);
    match value {
        Value::Array(items) => {
            lists::check(schema, items, field_path, collector);
            for (index, item) in items.iter().enumerate() {
                if let Some(schema) = schema.get("items") {
                    check_value(schema, item, &format!("{field_path}[{index}]"), collector);
                }
            }
        }
        Value::Object(fields) => check_object(schema, fields, field_path, collector),
        _ => {}
    }
}

fn check_object(
    schema: &Value,
    fields: &Map<String, Value>,
    field_path: &str,
    collector: &mut Collector,
) {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            collector.refuse(inner(field_path, name), "Required value");
        }
    }
    let most = schema.get("maxProperties").and_then(Value::as_u64);
    if let Some(most) = most.filter(|most| fields.len() as u64 > *most) {
        let message = format!("Too many: {}: must have at most {most} items", fields.len());
        collector.refuse(field_path, message);
    }
    for (name, value) in fields {
        if let Some(schema) = field_schema(schema, name) {
            check_value(schema, value, &inner(field_path, name), collector);
        }
    }
}

fn field_schema<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let declared = schema.get("properties").and_then(|fields| fields.get(name));
    declared.or_else(|| {
        schema
            .get("additionalProperties")
            .filter(|any| any.is_object())
    })
}

fn inner(field_path: &str, name: &str) -> String {
    if field_path.is_empty() {
        name.to_owned()
    } else {
        format!("{field_path}.{name}")
    }
}
