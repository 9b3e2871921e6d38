//! JSON values whose numbers are kept as they were sent.

use std::collections::BTreeMap;
use std::num::IntErrorKind;

use serde::Serialize;
use serde_json::value::RawValue;

/// A JSON value. When it is serialized, members are in the order of their names and numbers are as
/// they were sent.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`, which [`Object::get`] treats like a missing member.
    Null,
    /// `true` or `false`; one in quotes is a text.
    Boolean(bool),
    /// A number, as its literal.
    Number(Box<RawValue>),
    /// A string, without quotes and escapes.
    Text(String),
    /// A list of values, in the order in which they were sent.
    List(Vec<Self>),
    /// An object, whose members are kept in the order of their names.
    Object(Object),
}

impl Json {
    /// The value as text: a string, or the literal of a number; `None` for anything else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(literal) => Some(literal.get()),
            _ => None,
        }
    }

    /// The value as a 64-bit integer: digits with an optional sign, as a number or in a string. A
    /// fraction or an exponent is refused, whatever the value. The error tells a number beyond 64
    /// bits from a value that is no integer.
    pub fn integer(&self) -> Result<i64, IntErrorKind> {
        let digits = match self {
            Self::Number(literal) => literal.get(),
            Self::Text(text) => text.trim(),
            _ => return Err(IntErrorKind::InvalidDigit),
        };
        digits.parse::<i64>().map_err(|error| *error.kind())
    }

    /// The value as a public id, which has one spelling: digits alone, as a number or in a string;
    /// `None` for anything else.
    pub fn id(&self) -> Option<i64> {
        let id = self.integer().ok()?;
        (self.text() == Some(&id.to_string())).then_some(id)
    }

    /// Whether the value is the one that is shown: a number may be in a string, and a string a
    /// number with the same digits.
    pub fn is_shown_as(&self, shown: &serde_json::Value) -> bool {
        use serde_json::Value;
        match shown {
            Value::String(text) => self.text() == Some(text),
            Value::Number(number) => number.as_i64().is_some_and(|it| self.integer() == Ok(it)),
            Value::Bool(truth) => self.boolean() == Some(*truth),
            other => serde_json::to_value(self).is_ok_and(|it| it == *other),
        }
    }

    /// The value as a boolean: `true` or `false`, plain or in a string; `None` for anything else.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The members of a JSON object, each given once.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Object(pub(super) BTreeMap<String, Json>);

impl Object {
    /// The value of a member; `None` if it is missing or `null`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0
            .get(name)
            .filter(|value| !matches!(value, Json::Null))
    }

    /// Every member, in the order of their names.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
