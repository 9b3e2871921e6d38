//! What services say to each other in calls, below [`crate::pod::INTERNAL_PREFIX`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::Snapshot;

/// Path at which a payment service takes authorize calls, and answers what became of one (`GET …/{correlation id}`).
pub const AUTHORIZATIONS: &str = "/_innkeeper/authorizations";

/// Asks a payment service to authorize the payment of a booking; repeating it changes nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeRequest {
    /// The saga; what makes the call repeatable.
    pub correlation_id: Uuid,
    /// The saga's logical clock at the caller.
    pub clock: i64,
    /// The booking.
    pub snapshot: Snapshot,
}

/// What became of a payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeAnswer {
    /// The saga's logical clock at the payment service.
    pub clock: i64,
    /// What became of it.
    pub outcome: AuthorizeOutcome,
}

/// What became of a payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum AuthorizeOutcome {
    /// The money is reserved, or taken.
    Authorized {
        /// Public id of the payment.
        id: i64,
    },
    /// The provider refused.
    Declined {
        /// Public id of the payment.
        id: i64,
        /// Why, for people.
        reason: String,
    },
    /// The saga ended before: nothing is reserved, and nothing will be.
    Ended,
    /// The payment service has never heard of the saga.
    Unknown,
}
