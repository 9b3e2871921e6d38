//! The platform's names of fields.

use std::collections::BTreeMap;

use innkeeper_contracts::words::{Attribute, Field, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// The platform's names of the canonical fields. A booking keeps its own fields under their
/// canonical names where none is given; another component keeps only the fields that are named
/// here, and its status.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    /// Id of the booking.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub booking: Option<String>,
    /// Id of the payment.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub payment: Option<String>,
    /// Id of the fulfillment.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub fulfillment: Option<String>,
    /// Who books: a string.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub customer: Option<String>,
    /// What is booked: a string.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub item: Option<String>,
    /// What the booked item is called.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub item_name: Option<String>,
    /// How many are booked: a whole number, 0 or more.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub quantity: Option<String>,
    /// What it costs, in the currency's minor unit.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub amount: Option<String>,
    /// ISO 4217 code of the amount.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub currency: Option<String>,
    /// The label of the state.
    #[schemars(length(max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub status: Option<String>,
}

impl Fields {
    /// The name that the platform gives to a field; `None` if it gives none.
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

    /// Every field to which the platform gives a name.
    pub fn by_field(&self) -> BTreeMap<Field, String> {
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.named(field)?.to_owned())))
            .collect()
    }
}

/// The words of a block, in the form of the process's settings.
pub(super) fn words(
    fields: &Fields,
    attributes: &[Attribute],
    statuses: &impl Serialize,
    events: &impl Serialize,
) -> Words {
    Words {
        fields: fields.by_field(),
        attributes: attributes.to_vec(),
        statuses: names(statuses),
        events: names(events),
    }
}

/// Turns a struct of optional names into a map of those that are given.
fn names(names: &impl Serialize) -> BTreeMap<String, String> {
    serde_json::to_value(names)
        .and_then(serde_json::from_value)
        .expect("names are plain texts")
}
