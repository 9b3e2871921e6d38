//! The outermost layer: the headers that tell a callee what the call belongs to and when its caller
//! gives up.

use axum::http::HeaderValue;
use innkeeper_contracts::pod::{
    CORRELATION_HEADER, PRINCIPAL_HEADER, TIMEOUT_HEADER, TRACEPARENT_HEADER,
};

use super::call::Call;

/// Adds the headers of a call.
pub fn add(mut call: Call) -> Call {
    let headers = call.request.headers_mut();
    let trace = call.context.traceparent.as_deref();
    if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
        headers.insert(TRACEPARENT_HEADER, trace);
    }
    if let Some(saga) = call.context.saga {
        let saga = HeaderValue::try_from(saga.to_string()).expect("a UUID is ASCII");
        headers.insert(CORRELATION_HEADER, saga);
    }
    let principal = call.context.principal.as_ref();
    let principal = principal.and_then(|principal| HeaderValue::from_str(principal.owner()?).ok());
    if let Some(principal) = principal {
        headers.insert(PRINCIPAL_HEADER, principal);
    }
    let millis = u64::try_from(call.within.as_millis()).unwrap_or(u64::MAX);
    headers.insert(TIMEOUT_HEADER, HeaderValue::from(millis));
    call
}
