//! The body of a neighbour's answer, which is still part of the neighbour's work.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A service shut down and did not finish its answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the service shut down before its answer was complete")]
pub struct CutOff;

/// A body that ends with an error when its service is cut off. The service's shutdown waits until
/// it was read or dropped.
pub struct Answer {
    body: Body,
    cut_off: BoxFuture<'static, ()>,
    _pass: TaskTrackerToken,
}

impl Answer {
    /// The body of an answer; what is complete already needs its service no longer.
    pub fn body(body: Body, cut_off: BoxFuture<'static, ()>, pass: TaskTrackerToken) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self {
            body,
            cut_off,
            _pass: pass,
        })
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::into_inner)));
        }
        ready!(self.cut_off.as_mut().poll(context));
        Poll::Ready(Some(Err(CutOff.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
