//! The order in which a service shuts down: it becomes unready, is removed from the endpoints,
//! takes no more work, and finishes what it has begun.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::lifecycle::Lifecycle;

/// How long the steps of a shutdown may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// How long to keep serving after becoming unready; zero if nothing else routes traffic here.
    pub leave_for: Duration,
    /// How long running work may take to finish.
    pub drain_within: Duration,
}

/// Listens for SIGTERM and SIGINT from the moment of its creation, so create it before anything
/// else is started. Without a listener, SIGTERM kills a process at once, or does nothing if the
/// process is the first of its container.
#[derive(Debug)]
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Begins to listen; fails if the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal. Signals since [`Self::listen`] count.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Shuts a service down and returns once its tasks have ended; `false` if some did not end in time.
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
