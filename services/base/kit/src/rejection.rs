//! Refusals by the rules of the domain: they say something about a request, and are no failures of
//! the service.

use serde::{Deserialize, Serialize};

use crate::store_error::StoreError;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the wrong member; empty for the body as a whole.
    pub pointer: String,
    /// What is wrong with it and what was expected.
    pub detail: String,
}

/// The JSON pointer to a member of the body, with `~` and `/` escaped.
pub fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Why a request was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// The request breaks a declared type or bound, or lacks a required field.
    Invalid(Vec<Fault>),
    /// There is no such resource.
    NotFound,
    /// The row's state does not allow it; the text says why.
    Conflict(String),
    /// The payment provider refused; the text is its reason.
    PaymentRequired(String),
    /// Another request is handling the same booking just now.
    InFlight {
        /// Seconds after which the client may try again.
        retry_after_seconds: u32,
    },
    /// The row is not as the preconditions of the request want it.
    PreconditionFailed,
    /// The time that the caller gave is over.
    DeadlineExceeded,
    /// A service that is needed does not answer.
    Unavailable {
        /// Name of the service.
        service: String,
        /// Seconds after which the client may try again.
        retry_after_seconds: u32,
    },
}

impl Rejection {
    /// Refuses what has faults.
    pub fn unless_faultless(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(faults))
        }
    }

    /// A refusal because of one fault.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }
}

/// Why a use case was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The domain refused it.
    #[error("refused: {0:?}")]
    Rejected(Rejection),
    /// The store failed, which says nothing about the request.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
