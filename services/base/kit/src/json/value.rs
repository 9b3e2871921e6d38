//! A JSON value with its numbers as they were sent.

use std::collections::BTreeMap;
use std::num::IntErrorKind;

use serde::Serialize;
use serde_json::value::RawValue;

/// A JSON value. Written again, members are in the order of their names and numbers are as they were sent.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, by its literal.
    Number(Box<RawValue>),
    /// A string, by its value.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Json {
    /// What is sent for a text: a string by its value, a number by its literal.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(literal) => Some(literal.get()),
            _ => None,
        }
    }

    /// What is sent for a whole number of 64 bits: digits with or without a sign before them, as a number or in a string. A fraction or an
    /// exponent makes it another type, whatever its value is. The error tells a number beyond 64 bits from what is none.
    pub fn integer(&self) -> Result<i64, IntErrorKind> {
        let digits = match self {
            Self::Number(literal) => literal.get(),
            Self::Text(text) => text.trim(),
            _ => return Err(IntErrorKind::InvalidDigit),
        };
        digits.parse::<i64>().map_err(|error| *error.kind())
    }

    /// What is sent for a truth value, as it is or in a string.
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
    /// A member's value; `null` says that there is none.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0
            .get(name)
            .filter(|value| !matches!(value, Json::Null))
    }
}
