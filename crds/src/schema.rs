//! Schemas of values that the type of a field cannot describe: maps, and values that are a number
//! or a string.

use innkeeper_contracts::schema::texts;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A map of at most 16 files of 64 KiB.
pub fn files(_: &mut SchemaGenerator) -> Schema {
    texts(16, 65_536)
}

/// A map of at most 32 label values.
pub fn labels(_: &mut SchemaGenerator) -> Schema {
    texts(32, 63)
}

/// A map of at most 32 annotations.
pub fn annotations(_: &mut SchemaGenerator) -> Schema {
    texts(32, 4096)
}

/// A map of at most 64 values with a schema of their own.
pub fn map_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let value = T::json_schema(generator);
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": value,
    })
}

/// An instant in the format of RFC 3339.
pub fn instant(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "maxLength": 64 })
}

/// An integer that is not below `least`, or a string that matches a pattern.
pub fn number_or_text(least: u32, pattern: &str) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "minimum": least,
        "maxLength": 32,
        "pattern": pattern,
    })
}
