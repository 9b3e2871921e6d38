//! A streamed body with a timeout per frame.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// A service stopped sending in the middle of a body.
#[derive(Debug, thiserror::Error)]
#[error("nothing came for {0:?}")]
struct Stalled(Duration);

/// A body of which each frame must come in time. How long the whole body takes does not matter.
pub struct Timed {
    body: Body,
    patience: Duration,
    until: Pin<Box<Sleep>>,
}

impl Timed {
    /// A body of which each frame must come within `patience`.
    pub fn new(body: Body, patience: Duration) -> Self {
        let until = Box::pin(tokio::time::sleep(patience));
        Self {
            body,
            patience,
            until,
        }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let until = Instant::now() + self.patience;
            self.until.as_mut().reset(until);
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::into_inner)));
        }
        ready!(self.until.as_mut().poll(context));
        Poll::Ready(Some(Err(Stalled(self.patience).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
