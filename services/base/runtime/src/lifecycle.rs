//! The lifecycle of the tasks of a service. Tasks start nowhere else, and this is how they are told
//! to end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Starts tasks, tells them to end, and waits for them. Clones share one lifecycle.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    tracker: TaskTracker,
    leaving: CancellationToken,
    stopping: CancellationToken,
    panicked: Arc<OnceLock<&'static str>>,
}

impl Lifecycle {
    /// The lifecycle of a service that has no task yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A second lifecycle of the same service: it ends on its own, but a panic of one of its tasks
    /// counts as a panic of this one.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            panicked: Arc::clone(&self.panicked),
            ..Self::default()
        }
    }

    /// Starts a task in the current span. One that panics is logged, remembered in [`Self::panicked`], and takes nothing else with it.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let panicked = Arc::clone(&self.panicked);
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked");
                panicked.get_or_init(|| name);
            }
        };
        self.tracker.spawn(watched.in_current_span())
    }

    /// The name of the first task that panicked.
    pub fn panicked(&self) -> Option<&'static str> {
        self.panicked.get().copied()
    }

    /// Is cancelled when the service no longer wants traffic, though it still serves what comes.
    pub fn leaving(&self) -> CancellationToken {
        self.leaving.clone()
    }

    /// Whether the service no longer wants traffic.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Is cancelled when intake stops: no more connections, no more records, no more recovery.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Says that the service no longer wants traffic.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Stops intake.
    pub fn stop(&self) {
        self.leave();
        self.stopping.cancel();
    }

    /// Waits until every task has ended; false when some have not by then.
    pub async fn drain(&self, within: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(within, self.tracker.wait())
            .await
            .is_ok()
    }
}
