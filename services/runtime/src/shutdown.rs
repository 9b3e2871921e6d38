//! The order in which a service goes: unready, out of the endpoints, no more intake, what was begun, the end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

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

/// Waits for SIGTERM or SIGINT.
pub async fn signalled() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Ends a service in order, and returns once its tasks have ended; false when some had to be left behind.
/// The admin server belongs to a life of its own, so that it answers until the end.
pub async fn shut_down(lifecycle: &Lifecycle, pace: Pace) -> bool {
    tracing::info!("shutting down");
    lifecycle.leave();
    tokio::time::sleep(pace.leave_for).await;
    lifecycle.stop();
    let drained = lifecycle.drained(pace.drain_within).await;
    if !drained {
        tracing::warn!("some work was not finished in time");
    }
    drained
}
