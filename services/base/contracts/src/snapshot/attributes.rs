//! Reads attributes from calls and events: each name once, and each value a text, a 64-bit integer
//! or a boolean.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde_json::Value;

/// Reads attributes, and refuses values of types that cannot be declared: any other number would
/// lose digits in a 64-bit float.
pub(super) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Value>, D::Error> {
    deserializer.deserialize_map(Attributes)
}

struct Attributes;

impl<'de> Visitor<'de> for Attributes {
    type Value = BTreeMap<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("attributes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = BTreeMap::new();
        while let Some((name, Declared(value))) = map.next_entry::<String, Declared>()? {
            if attributes.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "duplicate attribute `{name}`"
                )));
            }
            attributes.insert(name, value);
        }
        Ok(attributes)
    }
}

/// A value of a type that an attribute can be declared with.
struct Declared(Value);

impl<'de> Deserialize<'de> for Declared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DeclaredVisitor)
    }
}

struct DeclaredVisitor;

impl Visitor<'_> for DeclaredVisitor {
    type Value = Declared;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a whole number of 64 bits, true or false")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Declared, E> {
        Ok(Declared(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Declared, E> {
        Ok(Declared(text.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Declared, E> {
        Ok(Declared(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Declared, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Declared, E> {
        Ok(Declared(truth.into()))
    }
}
