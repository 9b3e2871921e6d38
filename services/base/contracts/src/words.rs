//! A platform's own words for the fields, states and events of a component.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A canonical field of a story; a component's `fields` give it the platform's name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Public id of the booking.
    Booking,
    /// Public id of the payment.
    Payment,
    /// Public id of the fulfillment.
    Fulfillment,
    /// Who books.
    Customer,
    /// What is booked.
    Item,
    /// What the booked item is called.
    ItemName,
    /// How many.
    Quantity,
    /// What it costs, in the currency's minor unit.
    Amount,
    /// ISO 4217 code of `amount`.
    Currency,
    /// The label of the state.
    Status,
}

impl Field {
    /// Every field, in the order in which answers show them.
    pub const ALL: [Self; 10] = [
        Self::Booking,
        Self::Payment,
        Self::Fulfillment,
        Self::Customer,
        Self::Item,
        Self::ItemName,
        Self::Quantity,
        Self::Amount,
        Self::Currency,
        Self::Status,
    ];

    /// The canonical name, which is also the name where a platform gives none.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Payment => "payment",
            Self::Fulfillment => "fulfillment",
            Self::Customer => "customer",
            Self::Item => "item",
            Self::ItemName => "itemName",
            Self::Quantity => "quantity",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Status => "status",
        }
    }
}

/// The type of an attribute's value.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum AttributeType {
    /// Text.
    #[default]
    String,
    /// A whole number of 64 bits; a numeric string counts as one.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// A further field of a component, typed and bounded.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// The name here.
    pub name: String,
    /// The type of the value.
    #[serde(rename = "type", default)]
    pub kind: AttributeType,
    /// The name in the story's snapshot, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Fewest characters of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Most characters of a string; 256 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Smallest integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Largest integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

impl Attribute {
    /// The name under which the story's snapshot carries this attribute.
    pub fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// The words of one component.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Words {
    /// Names of canonical fields; what a component other than a booking does not declare here, it does not keep.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, String>,
    /// Further fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// Labels by canonical state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, String>,
    /// Event names by canonical state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, String>,
}

impl Words {
    /// The platform's name of a field.
    pub fn field(&self, field: Field) -> &str {
        self.fields.get(&field).map_or(field.name(), String::as_str)
    }

    /// The names under which a request may hold a field: the component's word for it, else the canonical name, unless that stands for something
    /// else here.
    pub fn names_of(&self, field: Field) -> impl Iterator<Item = &str> {
        let word = self.fields.get(&field).map(String::as_str);
        let canonical = field.name();
        let is_taken = self.fields.values().any(|word| word == canonical)
            || self.attributes.iter().any(|other| other.name == canonical);
        word.into_iter().chain((!is_taken).then_some(canonical))
    }

    /// The label of a canonical state.
    pub fn label<'a>(&'a self, state: &'a str) -> &'a str {
        self.statuses.get(state).map_or(state, String::as_str)
    }

    /// The platform's name of the event that a canonical state raises.
    pub fn event<'a>(&'a self, state: &'a str) -> &'a str {
        self.events.get(state).map_or(state, String::as_str)
    }
}
