//! The lifecycle of a service's tasks: all tasks start here and are told here to end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument as _;

/// Starts tasks, tells them to end, and waits for them. Clones share one lifecycle; requests make
/// many, so that it is one pointer.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    tracker: TaskTracker,
    leaving: CancellationToken,
    stopping: CancellationToken,
    failure: Arc<OnceLock<String>>,
}

impl Lifecycle {
    /// The lifecycle of a service that has no task yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A second lifecycle of the same service. It ends separately, but a failure counts for both.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self(Arc::new(Shared {
            failure: Arc::clone(&self.0.failure),
            ..Shared::default()
        }))
    }

    /// Starts a task in the current span. A panic is logged and remembered in [`Self::failure`],
    /// and ends no other task.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let lifecycle = self.clone();
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                lifecycle.fail(format!("the task {name} panicked"));
            }
        };
        self.0.tracker.spawn(watched.in_current_span())
    }

    /// Admits a piece of work that runs in a task of another service: [`Self::drain`] waits until
    /// the token is dropped. `None` once the service takes no more work.
    pub fn admit(&self) -> Option<TaskTrackerToken> {
        // It is counted first: what is admitted before the stop is then seen by the drain after it.
        let counted = self.0.tracker.token();
        (!self.0.stopping.is_cancelled()).then_some(counted)
    }

    /// Records that something is broken that only a new process mends.
    pub fn fail(&self, reason: String) {
        if self.0.failure.set(reason).is_ok() {
            let reason = self.failure();
            tracing::error!(reason, "this process has to be restarted");
        }
    }

    /// The first failure that only a new process mends, if there is any.
    pub fn failure(&self) -> Option<&str> {
        self.0.failure.get().map(String::as_str)
    }

    /// A token that is cancelled when the service no longer wants traffic, although it still serves
    /// requests.
    pub fn leaving(&self) -> CancellationToken {
        self.0.leaving.clone()
    }

    /// Whether the service no longer wants traffic.
    pub fn is_leaving(&self) -> bool {
        self.0.leaving.is_cancelled()
    }

    /// A token that is cancelled when the service takes no more work: connections, records and
    /// chores.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stopping.clone()
    }

    /// Waits until the service takes no more work.
    pub async fn stopped(&self) {
        self.0.stopping.cancelled().await;
    }

    /// Announces that the service no longer wants traffic.
    pub fn leave(&self) {
        self.0.leaving.cancel();
    }

    /// Announces that the service leaves, and tells its tasks to take no more work.
    pub fn stop(&self) {
        self.leave();
        self.0.stopping.cancel();
    }

    /// Waits until every task has ended; `false` if some have not by then.
    pub async fn drain(&self, within: Duration) -> bool {
        self.0.tracker.close();
        tokio::time::timeout(within, self.0.tracker.wait())
            .await
            .is_ok()
    }
}
