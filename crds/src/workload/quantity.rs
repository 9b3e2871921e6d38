//! Values that are a number or a text: quantities of resources, and a count or a share of pods.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::schema::number_or_text;

/// An amount of processor time or memory as Kubernetes writes it: `200m`, `0.5`, `128Mi`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number_or_string(deserializer).map(Self)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        number_or_text("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")
    }
}

/// A number of pods, or a share of them: `1`, `25%`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Surge(pub String);

impl<'de> Deserialize<'de> for Surge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number_or_string(deserializer).map(Self)
    }
}

impl JsonSchema for Surge {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Surge".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        number_or_text("^([1-9][0-9]?|100)%?$")
    }
}

fn number_or_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text),
        other => Err(de::Error::custom(format_args!(
            "expected a number or a string, found {other}"
        ))),
    }
}
