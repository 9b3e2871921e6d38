//! What every call and event says about its booking.

mod attributes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Public ids of a saga that are known so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicIds {
    /// Of the booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<i64>,
    /// Of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<i64>,
    /// Of the fulfillment.
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
    /// Attributes under the booking's names.
    #[serde(
        default,
        deserialize_with = "attributes::read",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub attributes: BTreeMap<String, Value>,
    /// Public ids known so far.
    #[serde(default)]
    pub ids: PublicIds,
}
