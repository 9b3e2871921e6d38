//! Settings of a view.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::words::Field;

/// Settings of a view.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct View {
    /// What a row shows, in order.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<Column>,
}

/// One column of a view.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Column {
    /// Name of the member that holds the value in each row.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Where its value comes from: one source, or several of which the latest counts.
    #[schemars(length(min = 1, max = 8))]
    pub sources: Vec<ColumnSource>,
}

/// One field of one service.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnSource {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Which of its fields: `id`, `field: NAME`, or `attribute: NAME`.
    #[schemars(schema_with = "column_value")]
    pub value: ColumnValue,
}

/// Which field of a service a column shows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ColumnValue {
    /// The public id of its row.
    Id,
    /// A canonical field; `status` is the label.
    Field(Field),
    /// An attribute, by its name in the snapshot.
    Attribute(String),
}

/// A text or an object, for which Kubernetes' schemas have no type.
fn column_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-preserve-unknown-fields": true,
        "anyOf": [
            { "enum": ["id"] },
            { "required": ["field"] },
            { "required": ["attribute"] },
        ],
    })
}
