//! What every call and event carries about its booking.

mod attributes;

use std::sync::Arc;

pub use attributes::Attributes;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// The public ids of a saga's rows, as far as they are known.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicIds {
    /// Public id of the booking.
    pub booking: Option<i64>,
    /// Public id of the payment.
    pub payment: Option<i64>,
    /// Public id of the fulfillment.
    pub fulfillment: Option<i64>,
}

impl PublicIds {
    /// These ids and, where they say nothing, the others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            booking: self.booking.or(others.booking),
            payment: self.payment.or(others.payment),
            fulfillment: self.fulfillment.or(others.fulfillment),
        }
    }
}

/// The canonical fields and attributes of a booking. Copies share their texts.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Who books, in up to 256 characters; `None` if it is not known.
    pub customer: Option<Arc<str>>,
    /// What is booked, in up to 256 characters; `None` if it is not known.
    pub item: Option<Arc<str>>,
    /// What the booked item is called.
    pub item_name: Option<Arc<str>>,
    /// How many are booked, 0 or more; `None` if it is not known.
    pub quantity: Option<i64>,
    /// What it costs, in the currency's minor unit.
    pub amount: Option<i64>,
    /// ISO 4217 code of `amount`.
    pub currency: Option<Arc<str>>,
    /// Attributes, under the names that the booking service gives them.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Public ids, as far as they are known.
    #[serde(default)]
    pub ids: PublicIds,
    /// Whether its payment was voided because the time to pay ran out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpaid: bool,
}
