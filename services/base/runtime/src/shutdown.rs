//! The order in which a service goes: unready, out of the endpoints, no more intake, what was begun, the end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::lifecycle::Lifecycle;

/// How long a pod serves on after it became unready, while its endpoint is removed everywhere. It is longer than the
/// [client](crate::client) keeps an idle connection, so that no caller sends on one that is about to be closed.
pub const LEAVE_FOR_IN_POD: Duration = Duration::from_secs(5);

/// How long the steps of an end may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// How long to serve on after becoming unready; zero where nobody else routes traffic.
    pub leave_for: Duration,
    /// How long what was begun may take.
    pub drain_within: Duration,
}

/// SIGTERM and SIGINT, heard from the moment that this is made: make it before anything is started. Unheard, SIGTERM ends a process
/// at once, or, where it is the first process of a container, nothing at all.
#[derive(Debug)]
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Begins to listen; fails when the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one; those that have come since [`Self::listen`] count.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ends a service in order, and returns once its tasks have ended; false when some had to be left behind.
/// The admin server has a lifecycle of its own, so that it answers until the end.
pub async fn shut_down(lifecycle: &Lifecycle, pace: Pace) -> bool {
    tracing::info!("shutting down");
    lifecycle.leave();
    tokio::time::sleep(pace.leave_for).await;
    lifecycle.stop();
    let drained = lifecycle.drain(pace.drain_within).await;
    if !drained {
        tracing::warn!("some work was not finished in time");
    }
    drained
}
