//! What a domain refuses: a fact about a request, not a failure of the service.

use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// One fault of a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to what is wrong.
    pub pointer: String,
    /// What is wrong with it and what was expected.
    pub detail: String,
}

/// The JSON pointer to a member of an object.
pub fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Why a command was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// The request breaks a declared type or bound, or lacks a required field.
    Invalid(Vec<Fault>),
    /// The resource is not there.
    NotFound,
    /// The state does not allow it; the text says which state, and what would be allowed.
    Conflict(String),
    /// The provider refused the payment; the text says why.
    PaymentRequired(String),
    /// Somebody else is at it; worth another try after these seconds.
    InFlight {
        /// Seconds until another try makes sense.
        retry_after_seconds: u32,
    },
    /// The version that the client has seen is not the present one.
    PreconditionFailed,
    /// A service that is needed does not answer.
    Unavailable {
        /// Its name.
        service: String,
        /// Seconds until another try makes sense.
        retry_after_seconds: u32,
    },
}

impl Rejection {
    /// A refusal for one fault.
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
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
