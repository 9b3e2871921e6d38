//! What a service is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::booking::Booking;
use super::fulfillment::Fulfillment;
use super::gateway::Gateway;
use super::payment::Payment;
use super::view::View;
use crate::words::Words;

/// What a service is, with the words it uses.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Component {
    /// Routes requests to the platform's services.
    Gateway(Gateway),
    /// Takes bookings and settles them.
    Booking(Booking),
    /// Takes the money for bookings.
    Payment(Payment),
    /// Delivers what was paid.
    Fulfillment(Fulfillment),
    /// Shows a saga in one row.
    View(View),
}

impl Component {
    /// The component's name, as in `innkeeper serve NAME`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gateway(_) => "gateway",
            Self::Booking(_) => "booking",
            Self::Payment(_) => "payment",
            Self::Fulfillment(_) => "fulfillment",
            Self::View(_) => "view",
        }
    }

    /// The platform's words; a gateway and a view have none of their own.
    pub const fn words(&self) -> Option<&Words> {
        match self {
            Self::Booking(booking) => Some(&booking.words),
            Self::Payment(payment) => Some(&payment.words),
            Self::Fulfillment(fulfillment) => Some(&fulfillment.words),
            Self::Gateway(_) | Self::View(_) => None,
        }
    }
}
