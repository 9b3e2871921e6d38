//! The attributes of a booking: each name once, and each value a text, a 64-bit integer or a
//! boolean.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use litemap::LiteMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Attributes in the order of their names. Copies share them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attributes(Arc<LiteMap<String, Value>>);

impl Attributes {
    /// The value of an attribute; `None` if it has none.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Index<&str> for Attributes {
    type Output = Value;

    /// The value of an attribute that is there.
    fn index(&self, name: &str) -> &Value {
        self.get(name).expect("no such attribute")
    }
}

impl FromIterator<(String, Value)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(attributes: T) -> Self {
        Self(Arc::new(attributes.into_iter().collect()))
    }
}

impl<const N: usize> From<[(String, Value); N]> for Attributes {
    fn from(attributes: [(String, Value); N]) -> Self {
        attributes.into_iter().collect()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// Refuses values of types that cannot be declared: any other number would lose digits in a 64-bit
/// float.
impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("attributes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = LiteMap::new();
        while let Some((name, Declared(value))) = map.next_entry::<String, Declared>()? {
            if attributes.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "duplicate attribute `{name}`"
                )));
            }
            attributes.insert(name, value);
        }
        Ok(Attributes(Arc::new(attributes)))
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
