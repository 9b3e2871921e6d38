//! Reads a request in the platform's words into a snapshot.

use std::num::IntErrorKind;
use std::ops::RangeInclusive;
use std::sync::Arc;

use innkeeper_contracts::settings::Booking;
use innkeeper_contracts::words::MAX_TEXT;
use innkeeper_contracts::{Attribute, AttributeType, Field, Snapshot, Words};
use serde_json::Value;

use crate::blank::is_blank;
use crate::json::{Json, Object};
use crate::rejection::{Fault, Rejection, pointer_to};

/// A member of a body: the name under which it was found, and its value.
pub type Member<'a> = (&'a str, &'a Json);

/// The member of a body that holds a canonical field, under the platform's name or else the
/// canonical one.
pub fn found<'a>(words: &'a Words, body: &'a Object, field: Field) -> Option<Member<'a>> {
    words
        .names_of(field)
        .find_map(|name| Some((name, body.get(name)?)))
}

/// Reads a new booking. Every declared type and bound is checked, every fault is listed, and
/// unknown fields are ignored. The currency is only checked, because the platform decides it.
pub fn snapshot(settings: &Booking, body: &Object) -> Result<Snapshot, Rejection> {
    let mut reader = Reader {
        settings,
        body,
        faults: Vec::new(),
    };
    reader.check_required();
    let snapshot = Snapshot {
        customer: reader.text_field(Field::Customer),
        item: reader.text_field(Field::Item),
        item_name: reader.text_field(Field::ItemName),
        quantity: reader.integer_field(Field::Quantity),
        amount: reader.integer_field(Field::Amount),
        attributes: settings
            .words
            .attributes
            .iter()
            .filter_map(|attribute| {
                Some((attribute.source().to_owned(), reader.attribute(attribute)?))
            })
            .collect(),
        ..Snapshot::default()
    };
    reader.check_amount(snapshot.amount);
    reader.check_currency();
    Rejection::unless_faultless(reader.faults)?;
    Ok(snapshot)
}

struct Reader<'a> {
    settings: &'a Booking,
    body: &'a Object,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, name: &str, detail: impl Into<String>) {
        self.faults.push(Fault {
            pointer: pointer_to(name),
            detail: detail.into(),
        });
    }

    fn found(&self, field: Field) -> Option<Member<'a>> {
        found(&self.settings.words, self.body, field)
    }

    fn check_required(&mut self) {
        for name in &self.settings.required {
            let words = &self.settings.words;
            let field = Field::ALL
                .into_iter()
                .find(|field| words.field(*field) == name);
            let is_there = match field {
                Some(field) => self.found(field).is_some(),
                None => self.body.get(name).is_some(),
            };
            if !is_there {
                self.fault(name, "is required");
            }
        }
    }

    /// An amount that is given under a second name must be the same.
    fn check_amount(&mut self, amount: Option<i64>) {
        let Some((taken, _)) = self.found(Field::Amount) else {
            return;
        };
        for name in self.settings.words.names_of(Field::Amount) {
            let said = self.body.get(name).map(Json::integer);
            if said.is_some_and(|said| said.ok() != amount) && name != taken {
                self.fault(name, format!("must be what {taken} says, or be left out"));
            }
        }
    }

    /// A currency must be the platform's, under each name by which it is given.
    fn check_currency(&mut self) {
        for name in self.settings.words.names_of(Field::Currency) {
            let Some(value) = self.body.get(name) else {
                continue;
            };
            match &self.settings.currency {
                Some(currency) if value.text() == Some(currency) => {}
                Some(currency) => self.fault(
                    name,
                    format!("must be {currency}, the currency of this platform"),
                ),
                None => self.fault(name, "must be left out: this platform has no currency"),
            }
        }
    }

    fn text_field(&mut self, field: Field) -> Option<Arc<str>> {
        let word = self.settings.words.field(field);
        let text = self.text(word, self.found(field), 0..=MAX_TEXT);
        text.map(Arc::from)
    }

    fn integer_field(&mut self, field: Field) -> Option<i64> {
        self.integer(self.found(field), 0..=i64::MAX)
    }

    fn attribute(&mut self, attribute: &'a Attribute) -> Option<Value> {
        let name = attribute.name.as_str();
        let member = self.body.get(name).map(|value| (name, value));
        match attribute.kind {
            AttributeType::String => {
                let least = attribute.min_length.unwrap_or(0);
                let most = attribute.max_length.unwrap_or(MAX_TEXT);
                self.text(name, member, least..=most).map(Value::from)
            }
            AttributeType::Integer => {
                let least = attribute.minimum.unwrap_or(i64::MIN);
                let most = attribute.maximum.unwrap_or(i64::MAX);
                self.integer(member, least..=most).map(Value::from)
            }
            AttributeType::Boolean => self.boolean(member).map(Value::from),
        }
    }

    /// Reads a text; `word` is its name in the list of required fields.
    fn text(
        &mut self,
        word: &str,
        member: Option<Member<'a>>,
        length: RangeInclusive<u32>,
    ) -> Option<&'a str> {
        let (name, value) = member?;
        let Some(text) = value.text() else {
            self.fault(name, "must be a string");
            return None;
        };
        if is_blank(text) && self.settings.required.iter().any(|named| named == word) {
            self.fault(name, "must not be blank");
        }
        let (least, most) = (*length.start(), *length.end());
        let characters = text.chars().count();
        if characters < least as usize {
            self.fault(name, format!("must have at least {least} characters"));
        }
        if characters > most as usize {
            self.fault(name, format!("must have at most {most} characters"));
        }
        Some(text)
    }

    fn integer(&mut self, member: Option<Member<'_>>, bounds: RangeInclusive<i64>) -> Option<i64> {
        let (name, value) = member?;
        let (least, most) = (bounds.start(), bounds.end());
        let number = value.integer();
        let (is_below, is_above) = match &number {
            Ok(number) => (number < least, number > most),
            Err(IntErrorKind::NegOverflow) => (true, false),
            Err(IntErrorKind::PosOverflow) => (false, true),
            Err(_) => {
                self.fault(name, "must be a whole number");
                return None;
            }
        };
        if is_below {
            self.fault(name, format!("must be at least {least}"));
        }
        if is_above {
            self.fault(name, format!("must be at most {most}"));
        }
        number.ok()
    }

    fn boolean(&mut self, member: Option<Member<'_>>) -> Option<bool> {
        let (name, value) = member?;
        let truth = value.boolean();
        if truth.is_none() {
            self.fault(name, "must be true or false");
        }
        truth
    }
}
