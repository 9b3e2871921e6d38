//! The calls between services, all below [`crate::pod::INTERNAL_PREFIX`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::Snapshot;

/// Path at which a payment service takes authorize calls (POST), and tells what became of one
/// (`GET …/{correlation id}`). One that it does not know yet it refuses from then on.
pub const AUTHORIZATIONS: &str = "/_innkeeper/authorizations";

/// Asks a payment service to authorize the payment of a booking. Repeating the call changes nothing
/// and gets the same answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeRequest {
    /// Identifies the saga. A payment service authorizes once per correlation id.
    pub correlation_id: Uuid,
    /// The saga's logical clock as the caller knows it.
    pub clock: i64,
    /// The booking that is to be paid.
    pub snapshot: Snapshot,
}

/// The answer to an authorize call, and to the question what became of one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeAnswer {
    /// The saga's logical clock as the payment service knows it; 0 where it has no row.
    pub clock: i64,
    /// What the payment service has decided.
    pub outcome: AuthorizeOutcome,
}

/// What became of a payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum AuthorizeOutcome {
    /// The money is reserved, or already captured.
    Authorized {
        /// Public id of the payment.
        id: i64,
    },
    /// The payment provider refused.
    Declined {
        /// Public id of the payment.
        id: i64,
        /// The provider's reason, in words for people.
        reason: String,
    },
    /// The saga has already ended: nothing is reserved, and nothing will be.
    Ended,
    /// The payment service has no row for the saga.
    Unknown,
}

/// Path at which a booking service tells what became of bookings (POST, as they are asked about
/// many at a time).
pub const BOOKINGS: &str = "/_innkeeper/bookings";

/// How many bookings one call may ask about.
pub const MAX_BOOKINGS: usize = 100;

/// Asks a booking service what became of bookings. It changes nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingsRequest {
    /// The service that is asked, as the text form of an [event
    /// source](crate::event::EventSource::to_text). Another service that took over its address
    /// refuses with 421, because it knows nothing of these bookings.
    pub asked: String,
    /// The sagas of the bookings, up to [`MAX_BOOKINGS`].
    pub correlation_ids: Vec<Uuid>,
}

/// What became of bookings.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingsAnswer {
    /// One for each booking of the request, in its order.
    pub bookings: Vec<BookingAnswer>,
}

/// What became of one booking.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingAnswer {
    /// Correlation id of the saga, as in the request.
    pub correlation_id: Uuid,
    /// The saga's logical clock as the booking service knows it; 0 where it has no row.
    pub clock: i64,
    /// What the booking service has decided.
    pub outcome: BookingOutcome,
}

/// What a booking service has decided about a booking.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum BookingOutcome {
    /// It is not decided yet.
    Pending {
        /// When the booking service will have decided.
        until: Timestamp,
    },
    /// The booking is valid or was delivered.
    Confirmed,
    /// The booking was rejected, expired or cancelled, and will stay so.
    Ended,
    /// The booking service has no row for the saga, and will never have one.
    Unknown,
}
