//! Values that are a number or a string: quantities of resources, and a number or share of pods.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::schema::number_or_text;

/// An amount of processor time or memory as Kubernetes writes it: `200m`, `0.5`, `128Mi`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

/// How many thousandths each suffix stands for.
const SUFFIXES: [(&str, u128); 9] = [
    ("Ki", 1_000 << 10),
    ("Mi", 1_000 << 20),
    ("Gi", 1_000 << 30),
    ("Ti", 1_000 << 40),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("m", 1),
];

impl Quantity {
    /// The amount in thousandths of its unit, rounded up; 0 for a text that is no quantity, which
    /// the schema refuses.
    pub fn thousandths(&self) -> u128 {
        let (number, unit) = SUFFIXES
            .iter()
            .find_map(|(suffix, unit)| Some((self.0.strip_suffix(suffix)?, *unit)))
            .unwrap_or((&self.0, 1_000));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        format!("{whole}{fraction}")
            .parse::<u128>()
            .ok()
            .and_then(|digits| digits.checked_mul(unit))
            .zip(10_u128.checked_pow(digits))
            .map_or(0, |(thousandths, scale)| thousandths.div_ceil(scale))
    }
}

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
        number_or_text(0, "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")
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
        let mut schema = number_or_text(1, "^([1-9][0-9]?|100)%?$");
        schema.insert("maximum".to_owned(), 100.into());
        schema
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

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_compared_by_their_amount() {
        let amount = |text: &str| Quantity(text.to_owned()).thousandths();
        assert_eq!(amount("0.5"), amount("500m"));
        assert_eq!(amount("1.5Gi"), amount("1536Mi"));
        assert!(amount("1G") < amount("1Gi"));
        assert_eq!(amount("nothing"), 0);
    }
}
