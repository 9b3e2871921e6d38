//! What every call and event carries about its booking.

mod attributes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The public ids of a saga's rows, as far as they are known.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicIds {
    /// Public id of the booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<i64>,
    /// Public id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<i64>,
    /// Public id of the fulfillment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<i64>,
}

/// The canonical fields and attributes of a booking.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Who books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What the booked item is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_name: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<i64>,
    /// What it costs, in the currency's minor unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// ISO 4217 code of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Attributes, under the names that the booking service gives them.
    #[serde(
        default,
        deserialize_with = "attributes::read",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub attributes: BTreeMap<String, Value>,
    /// Public ids, as far as they are known.
    #[serde(default)]
    pub ids: PublicIds,
}
