//! A platform's own words for the fields, states and events of a component.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use crate::schema::{self, Rule};

/// The most attributes of a booking.
pub const MAX_ATTRIBUTES: usize = 32;

/// The most characters of an attribute's value.
pub const MAX_ATTRIBUTE_LENGTH: u32 = 4096;

/// Longest customer, item and item name in characters, and longest String attribute that has no
/// `maxLength`.
pub const MAX_TEXT: u32 = 256;

/// A canonical field of a booking. A component's `fields` give it the platform's name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Public id of the booking.
    Booking,
    /// Public id of the payment.
    Payment,
    /// Public id of the fulfillment.
    Fulfillment,
    /// Who books: a text of up to 256 characters.
    Customer,
    /// What is booked: a text of up to 256 characters.
    Item,
    /// What the booked item is called.
    ItemName,
    /// How many are booked: a whole number, 0 or more.
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

    /// The canonical name, which is used where the platform gives no other.
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

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum AttributeType {
    /// A text, of up to 256 characters unless `maxLength` says otherwise.
    #[default]
    String,
    /// A whole number of 64 bits; a numeric string counts as one.
    Integer,
    /// `true` or `false`, plain or in a string.
    Boolean,
}

/// A further field, typed and bounded.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&ATTRIBUTE_RULES)))]
pub struct Attribute {
    /// Name of the field in the requests and answers of this service.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type", default)]
    pub kind: AttributeType,
    /// The booking's name of it, where that differs.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub from: Option<String>,
    /// Fewest characters of a String.
    #[schemars(range(min = 1, max = MAX_ATTRIBUTE_LENGTH))]
    pub min_length: Option<u32>,
    /// Most characters of a String. 256 when left out.
    #[schemars(range(min = 1, max = MAX_ATTRIBUTE_LENGTH))]
    pub max_length: Option<u32>,
    /// Smallest value of an Integer; the smallest of 64 bits when left out.
    pub minimum: Option<i64>,
    /// Largest value of an Integer; the largest of 64 bits when left out.
    pub maximum: Option<i64>,
}

/// Only a String may have a `minLength`.
pub const ONLY_A_STRING_HAS_A_MIN_LENGTH: Rule = (
    "self.type == 'String' || !has(self.minLength)",
    "only a String has a minLength",
);

/// `minLength` must not exceed `maxLength`.
pub const MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH: Rule = (
    "!has(self.minLength) || self.minLength <= (has(self.maxLength) ? self.maxLength : 256)",
    "minLength must not be above maxLength, which is 256 when left out",
);

/// The rules that the API server checks for every attribute.
const ATTRIBUTE_RULES: [Rule; 5] = [
    (
        "!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum",
        "minimum must not be above maximum",
    ),
    (
        "self.type == 'Integer' || (!has(self.minimum) && !has(self.maximum))",
        "only an Integer has a minimum and a maximum",
    ),
    (
        "self.type == 'String' || !has(self.maxLength)",
        "only a String has a maxLength",
    ),
    ONLY_A_STRING_HAS_A_MIN_LENGTH,
    MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH,
];

impl Attribute {
    /// The name under which the snapshot carries this attribute.
    pub fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// The words of one component.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Words {
    /// Names of canonical fields; what a component other than a booking does not declare here, it
    /// does not keep.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "field_names")]
    pub fields: BTreeMap<Field, String>,
    /// Further fields beside the canonical ones; at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_ATTRIBUTES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub attributes: Vec<Attribute>,
    /// Labels by canonical state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub statuses: BTreeMap<String, String>,
    /// Event names by canonical state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub events: BTreeMap<String, String>,
}

impl Words {
    /// The platform's name of a field; its canonical name where the platform gives none.
    pub fn field(&self, field: Field) -> &str {
        self.fields.get(&field).map_or(field.name(), String::as_str)
    }

    /// The names under which a request may have a field: the platform's name, then the canonical
    /// name unless the platform uses that for something else.
    pub fn names_of(&self, field: Field) -> impl Iterator<Item = &str> {
        let word = self.fields.get(&field).map(String::as_str);
        let canonical = field.name();
        let is_taken = self.fields.values().any(|word| word == canonical)
            || self.attributes.iter().any(|other| other.name == canonical);
        word.into_iter().chain((!is_taken).then_some(canonical))
    }

    /// The label of a canonical state; the state's own name where it has no label.
    pub fn label<'a>(&'a self, state: &'a str) -> &'a str {
        self.statuses.get(state).map_or(state, String::as_str)
    }

    /// Whether the platform has labels, but none for this canonical state.
    pub fn is_unlabelled(&self, state: &str) -> bool {
        !self.statuses.is_empty() && !self.statuses.contains_key(state)
    }

    /// The platform's name of the event that a canonical state raises; the state's own name where
    /// the platform gives none.
    pub fn event<'a>(&'a self, state: &'a str) -> &'a str {
        self.events.get(state).map_or(state, String::as_str)
    }
}

/// The schema of `fields`: one optional name per canonical field.
fn field_names(_: &mut SchemaGenerator) -> Schema {
    let name = json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "pattern": "^[A-Za-z][A-Za-z0-9_]*$",
    });
    let name = |field: Field| {
        let mut name = name.clone();
        let description = format!("The platform's name of the field {}.", field.name());
        name.insert("description".to_owned(), description.into());
        (field.name().to_owned(), name.to_value())
    };
    let properties: Map<String, Value> = Field::ALL.into_iter().map(name).collect();
    json_schema!({ "type": "object", "properties": properties })
}
