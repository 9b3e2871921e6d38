//! The outermost layer: the headers that tell a callee what the call belongs to and when its caller
//! gives up.

use axum::http::{HeaderName, HeaderValue};
use innkeeper_contracts::pod::{
    CORRELATION_HEADER, PRINCIPAL_HEADER, TIMEOUT_HEADER, TRACEPARENT_HEADER,
};

use super::call::Call;

const TRACEPARENT: HeaderName = HeaderName::from_static(TRACEPARENT_HEADER);
/// Header with the correlation id of the saga.
const CORRELATION: HeaderName = HeaderName::from_static(CORRELATION_HEADER);
/// Header that says for whom a call is made.
const PRINCIPAL: HeaderName = HeaderName::from_static(PRINCIPAL_HEADER);
const TIMEOUT: HeaderName = HeaderName::from_static(TIMEOUT_HEADER);

/// Adds the headers of a call.
pub fn add(mut call: Call) -> Call {
    let headers = call.request.headers_mut();
    let trace = call.context.traceparent.as_deref();
    if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
        headers.insert(TRACEPARENT, trace);
    }
    if let Some(saga) = call.context.saga {
        let saga = HeaderValue::try_from(saga.to_string()).expect("a UUID is ASCII");
        headers.insert(CORRELATION, saga);
    }
    let principal = call.context.principal.as_ref();
    let principal = principal.and_then(|principal| HeaderValue::from_str(principal.owner()?).ok());
    if let Some(principal) = principal {
        headers.insert(PRINCIPAL, principal);
    }
    let millis = u64::try_from(call.within.as_millis()).unwrap_or(u64::MAX);
    headers.insert(TIMEOUT, HeaderValue::from(millis));
    call
}
