//! One call on its way through the layers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use innkeeper_kit::Principal;
use uuid::Uuid;

/// What a call belongs to.
#[derive(Clone, Debug, Default)]
pub struct CallContext {
    /// The W3C trace context of the caller's span, if it has one.
    pub traceparent: Option<Arc<str>>,
    /// The correlation id of the saga, if it is a call within one.
    pub saga: Option<Uuid>,
    /// For whom the call is made; `None` for the service's own purposes.
    pub principal: Option<Principal>,
    /// How long the caller can still wait; the callee's own timeout holds where it is shorter.
    pub remaining: Option<Duration>,
}

/// A request with what the layers need to know.
#[derive(Debug)]
pub struct Call {
    pub request: Request,
    pub context: CallContext,
    /// How long the call may take.
    pub within: Duration,
    /// Why it ends then.
    pub too_late: TooLate,
    pub extent: Extent,
}

/// Whose time is over first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TooLate {
    /// That which the callee has for any call.
    Timeout,
    /// That which the caller has left.
    Deadline,
}

/// How much of the answer is read as part of the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// The head, and the body whatever its size.
    Whole,
    /// The head, and a small body.
    Small,
}
