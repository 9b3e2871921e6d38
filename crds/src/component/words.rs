//! The platform's own names of fields.

use std::collections::BTreeMap;

use innkeeper_contracts::words::Field;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The platform's names of the canonical fields. A booking keeps its own fields under their canonical names where none is
/// given; another component keeps only the fields that are named here, and its status.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// Id of the booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub booking: Option<String>,
    /// Id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub payment: Option<String>,
    /// Id of the fulfillment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub fulfillment: Option<String>,
    /// Who books: a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub customer: Option<String>,
    /// What is booked: a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub item: Option<String>,
    /// What the booked item is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub item_name: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub quantity: Option<String>,
    /// What it costs, in the currency's minor unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub amount: Option<String>,
    /// ISO 4217 code of the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub currency: Option<String>,
    /// The label of the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub status: Option<String>,
}

impl Fields {
    /// The name that is given to a field, if one is.
    pub fn named(&self, field: Field) -> Option<&str> {
        let name = match field {
            Field::Booking => &self.booking,
            Field::Payment => &self.payment,
            Field::Fulfillment => &self.fulfillment,
            Field::Customer => &self.customer,
            Field::Item => &self.item,
            Field::ItemName => &self.item_name,
            Field::Quantity => &self.quantity,
            Field::Amount => &self.amount,
            Field::Currency => &self.currency,
            Field::Status => &self.status,
        };
        name.as_deref()
    }

    /// Every field that has a name here.
    pub fn by_field(&self) -> BTreeMap<Field, String> {
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.named(field)?.to_owned())))
            .collect()
    }
}

/// A further field, typed and bounded.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum", "minimum must not be above maximum"))]
#[x_kube(validation = ("self.type == 'Integer' || (!has(self.minimum) && !has(self.maximum))", "only an Integer has a minimum and a maximum"))]
#[x_kube(validation = ("self.type == 'String' || !has(self.maxLength)", "only a String has a maxLength"))]
#[x_kube(validation = crate::rules::ONLY_A_STRING_HAS_A_MIN_LENGTH)]
#[x_kube(validation = crate::rules::MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH)]
pub struct Attribute {
    /// The name here.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type", default)]
    pub kind: AttributeType,
    /// The booking's name of it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub from: Option<String>,
    /// Fewest characters of a String.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub min_length: Option<u32>,
    /// Most characters of a String. 256 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_length: Option<u32>,
    /// Smallest Integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Largest Integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

impl Attribute {
    /// The booking's name of it.
    pub fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum AttributeType {
    /// Text.
    #[default]
    String,
    /// A whole number of 64 bits; a numeric string counts as one.
    Integer,
    /// `true` or `false`.
    Boolean,
}
