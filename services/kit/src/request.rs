//! Reads a request in a platform's words into a snapshot.

use innkeeper_contracts::{Attribute, AttributeType, Field, Snapshot, Words};
use serde_json::{Map, Value};

use crate::rejection::{Fault, Rejection};

/// Most characters of a customer, an item or an item's name, and of an attribute that says nothing else.
pub const MAX_TEXT: u32 = 256;

/// Reads a new booking: every declared type and bound is checked, every fault is listed, unknown fields are ignored.
pub fn snapshot(
    words: &Words,
    required: &[String],
    body: &Map<String, Value>,
) -> Result<Snapshot, Rejection> {
    let mut reader = Reader {
        body,
        faults: Vec::new(),
    };
    for name in required {
        if body.get(name).is_none_or(Value::is_null) {
            reader.fault(name, "is required");
        }
    }
    let snapshot = Snapshot {
        customer: reader.text(words.field(Field::Customer), MAX_TEXT),
        item: reader.text(words.field(Field::Item), MAX_TEXT),
        item_name: reader.text(words.field(Field::ItemName), MAX_TEXT),
        quantity: reader.integer(words.field(Field::Quantity), 0, i64::MAX),
        amount: reader.integer(words.field(Field::Amount), 0, i64::MAX),
        attributes: words
            .attributes
            .iter()
            .filter_map(|attribute| {
                Some((attribute.source().to_owned(), reader.attribute(attribute)?))
            })
            .collect(),
        ..Snapshot::default()
    };
    if reader.faults.is_empty() {
        Ok(snapshot)
    } else {
        Err(Rejection::Invalid(reader.faults))
    }
}

struct Reader<'a> {
    body: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.faults.push(Fault {
            pointer,
            detail: detail.into(),
        });
    }

    fn text(&mut self, name: &str, max_length: u32) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.fault(name, "must be a string");
                return None;
            }
        };
        if text.chars().count() > max_length as usize {
            self.fault(name, format!("must have at most {max_length} characters"));
        }
        Some(text)
    }

    fn integer(&mut self, name: &str, minimum: i64, maximum: i64) -> Option<i64> {
        let number = match self.value(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.fault(name, "must be a whole number");
            return None;
        };
        if number < minimum {
            self.fault(name, format!("must be at least {minimum}"));
        }
        if number > maximum {
            self.fault(name, format!("must be at most {maximum}"));
        }
        Some(number)
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        let truth = match self.value(name)? {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        if truth.is_none() {
            self.fault(name, "must be true or false");
        }
        truth
    }

    fn attribute(&mut self, attribute: &Attribute) -> Option<Value> {
        let name = &attribute.name;
        match attribute.kind {
            AttributeType::String => self
                .text(name, attribute.max_length.unwrap_or(MAX_TEXT))
                .map(Value::from),
            AttributeType::Integer => {
                let (minimum, maximum) = (
                    attribute.minimum.unwrap_or(i64::MIN),
                    attribute.maximum.unwrap_or(i64::MAX),
                );
                self.integer(name, minimum, maximum).map(Value::from)
            }
            AttributeType::Boolean => self.boolean(name).map(Value::from),
        }
    }
}
