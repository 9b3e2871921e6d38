//! Schema parts that Kubernetes requires and the derive does not generate: bounded maps, and CEL
//! rules.

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

/// A map of at most `entries` texts of at most `length` characters each.
pub fn texts(entries: u32, length: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": entries,
        "additionalProperties": { "type": "string", "maxLength": length },
    })
}

/// CEL rules, each with its message, in the form of `x-kubernetes-validations`.
pub fn rules(rules: &[(&str, &str)]) -> Value {
    rules
        .iter()
        .map(|(rule, message)| json!({ "rule": rule, "message": message }))
        .collect()
}
