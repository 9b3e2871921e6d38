//! The calls between services, all below [`crate::pod::INTERNAL_PREFIX`].

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::Snapshot;

/// Path at which a payment service takes authorize calls (POST), and tells what became of one
/// (`GET …/{correlation id}`).
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
