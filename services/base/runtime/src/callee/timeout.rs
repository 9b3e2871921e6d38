//! The layer that ends a call when its time is over, whatever the layers below are doing.

use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tower::Service;

use super::call::{Call, TooLate};
use crate::client::CallError;

/// A service whose calls end in time.
#[derive(Clone, Debug)]
pub struct TotalTimeout<S>(pub S);

impl<S> Service<Call> for TotalTimeout<S>
where
    S: Service<Call, Error = CallError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<S::Response, CallError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let within = call.within;
        let too_late = match call.too_late {
            TooLate::Timeout => CallError::Timeout,
            TooLate::Deadline => CallError::Deadline,
        };
        let answered = self.0.call(call);
        async move {
            tokio::time::timeout(within, answered)
                .await
                .unwrap_or(Err(too_late))
        }
        .boxed()
    }
}
