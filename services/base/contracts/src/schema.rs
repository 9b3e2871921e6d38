//! What Kubernetes asks of a schema and a derive does not give: maps with bounds, and rules.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A map of at most 64 environment variables of 4096 characters.
pub fn environment(_: &mut SchemaGenerator) -> Schema {
    texts(64, 4096)
}

/// A map of at most 32 labels or event names of 64 characters.
pub fn words(_: &mut SchemaGenerator) -> Schema {
    texts(32, 64)
}

/// A map of at most so many texts of at most so many characters.
pub fn texts(entries: u32, length: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": entries,
        "additionalProperties": { "type": "string", "maxLength": length },
    })
}

/// Rules in CEL, each with its message, as `x-kubernetes-validations` has them.
pub fn rules(rules: &[(&str, &str)]) -> Value {
    rules
        .iter()
        .map(|(rule, message)| json!({ "rule": rule, "message": message }))
        .collect()
}
