//! Schema parts that Kubernetes requires and the derive does not generate: bounded maps, and CEL
//! rules.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A rule in CEL, and the message that users read when it fails.
pub type Rule = (&'static str, &'static str);

/// A map of at most 64 environment variables of 4096 characters.
pub fn environment(_: &mut SchemaGenerator) -> Schema {
    texts(64, 4096)
}

/// The most characters of a label or of an event's name.
const MAX_LABEL: u32 = 64;

/// No label and no event's name has a control character: people could neither see nor type it.
pub const NO_CONTROL_CHARACTERS: Rule = (
    r"!self.matches('\\p{Cc}')",
    "a label or an event's name has no control characters",
);

/// A label, or the name of an event: 1 to 64 characters.
pub fn label(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LABEL,
        "x-kubernetes-validations": rules(&[NO_CONTROL_CHARACTERS]),
    })
}

/// A map of at most 32 labels or names of events.
pub fn labels(generator: &mut SchemaGenerator) -> Schema {
    let label = label(generator);
    json_schema!({ "type": "object", "maxProperties": 32, "additionalProperties": label })
}

/// A path has the last word of its resource as its relation in `GET /`, and `self` is taken there.
pub const A_PATH_IS_NOT_SELF: Rule = (
    "!self.endsWith('/self')",
    "a path must not end in /self, which is the relation of every document to itself",
);

/// The id of an item stands behind the path of its resource.
pub const A_PATH_IS_NO_ITEM: Rule = (
    "!self.matches('/[0-9]+$')",
    "a path must not end in a number: that is the address of an item",
);

/// The path of a resource, such as `/reservations`: up to 128 characters.
pub fn path(_: &mut SchemaGenerator) -> Schema {
    path_with(&[A_PATH_IS_NOT_SELF, A_PATH_IS_NO_ITEM])
}

/// A further path, which is no resource of its own.
pub fn alias(_: &mut SchemaGenerator) -> Schema {
    path_with(&[A_PATH_IS_NO_ITEM])
}

fn path_with(all: &[Rule]) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 128,
        "pattern": r"^(/[A-Za-z0-9][A-Za-z0-9._~-]*)+$",
        "x-kubernetes-validations": rules(all),
    })
}

/// A map of at most `entries` texts of at most `length` characters each.
pub fn texts(entries: u32, length: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": entries,
        "additionalProperties": { "type": "string", "maxLength": length },
    })
}

/// 1 to 32 origins of scripts, such as `https://rentcar.example`, or `*`.
pub fn origins(_: &mut SchemaGenerator) -> Schema {
    let origin = json_schema!({
        "type": "string",
        "maxLength": 253,
        "pattern": r"^(\*|null|[a-z][a-z0-9+.-]*://[^/?#\s]+)$",
    });
    json_schema!({ "type": "array", "minItems": 1, "maxItems": 32, "items": origin })
}

/// Up to 16 methods of HTTP, or `*`.
pub fn methods(_: &mut SchemaGenerator) -> Schema {
    let method = json_schema!({ "type": "string", "maxLength": 32, "pattern": r"^(\*|[A-Z]+)$" });
    json_schema!({ "type": "array", "maxItems": 16, "items": method })
}

/// Up to 64 names of headers, or `*`.
pub fn header_names(_: &mut SchemaGenerator) -> Schema {
    let name =
        json_schema!({ "type": "string", "maxLength": 64, "pattern": r"^(\*|[A-Za-z0-9-]+)$" });
    json_schema!({ "type": "array", "maxItems": 64, "items": name })
}

/// CEL rules, each with its message, in the form of `x-kubernetes-validations`.
pub fn rules(rules: &[(&str, &str)]) -> Value {
    rules
        .iter()
        .map(|(rule, message)| json!({ "rule": rule, "message": message }))
        .collect()
}
