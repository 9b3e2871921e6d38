//! Lets platforms take new defaults of the installation one after another.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, StreamExt as _, stream};
use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_plan::platform::defaults::{is_awaited, rollout};
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::Notify;

use crate::metrics::Metrics;

/// The rollouts of new defaults.
pub(crate) struct Rollouts {
    /// How many platforms may be at it at a time.
    at_once: usize,
    state: Mutex<State>,
    finished: Notify,
}

/// Platforms by their uid.
#[derive(Default)]
struct State {
    /// What this process has started. What earlier ones have started is in the platforms' statuses.
    started: HashMap<String, DefaultsRollout>,
    waiting: HashMap<String, PlatformRef>,
}

impl State {
    fn forget_deleted(&mut self, platforms: &[Arc<BookingPlatform>]) {
        let present: HashSet<_> = platforms.iter().filter_map(|it| it.uid()).collect();
        self.started.retain(|uid, _| present.contains(uid));
        self.waiting.retain(|uid, _| present.contains(uid));
    }
}

type PlatformRef = ObjectRef<DeserializeGuard<BookingPlatform>>;

impl Rollouts {
    /// Rollouts of so many platforms at a time.
    pub(crate) fn of(at_once: usize) -> Self {
        Self {
            at_once,
            state: Mutex::default(),
            finished: Notify::new(),
        }
    }

    /// Starts the rollout of a platform, unless as many others as may be are at it; then the
    /// platform waits.
    pub(crate) fn start(
        &self,
        platforms: &[Arc<BookingPlatform>],
        platform: &BookingPlatform,
        metrics: &Metrics,
        now: Timestamp,
    ) -> Option<DefaultsRollout> {
        let mut state = self.lock();
        let uid = platform.uid().unwrap_or_default();
        state.forget_deleted(platforms);
        let is_at_it = |it: &BookingPlatform| {
            let status = it.status.as_ref();
            let recorded = status.and_then(|it| it.defaults_rollout.as_ref());
            // The cache may not have seen yet what this process wrote.
            let started = state.started.get(&it.uid().unwrap_or_default());
            let rollout = started.or(recorded);
            rollout.is_some_and(|it| is_awaited(it, now))
        };
        let others: Vec<_> = platforms
            .iter()
            .filter(|it| it.uid() != platform.uid() && it.metadata.deletion_timestamp.is_none())
            .filter(|it| is_at_it(it))
            .map(|it| ObjectRef::from_obj(it.as_ref()).to_string())
            .collect();
        // One that is at it may take newer ones: they may be right where those before were wrong.
        if !is_at_it(platform) && others.len() >= self.at_once {
            let waits = PlatformRef::new(&platform.name_any())
                .within(&platform.namespace().unwrap_or_default());
            if state.waiting.insert(uid, waits.clone()).is_none() {
                let others = others.join(", ");
                tracing::info!(platform = %waits, others, "waits until others are ready with the new defaults");
            }
            metrics.set_waiting(state.waiting.len());
            return None;
        }
        let rollout = rollout(platform, now);
        state.waiting.remove(&uid);
        metrics.set_waiting(state.waiting.len());
        state.started.insert(uid, rollout.clone());
        let (platform, namespace) = (platform.name_any(), platform.namespace());
        tracing::info!(platform, namespace, "takes the new defaults");
        Some(rollout)
    }

    /// Records that a platform is ready with its defaults, so that others may take theirs.
    pub(crate) fn finish(&self, platform: &BookingPlatform) {
        let uid = platform.uid().unwrap_or_default();
        self.lock().started.remove(&uid);
        self.finished.notify_one();
    }

    /// The platforms that wait, whenever another one is ready.
    pub(crate) fn woken(self: Arc<Self>) -> impl Stream<Item = PlatformRef> + Send + 'static {
        let batches = stream::unfold(self, |rollouts| async move {
            rollouts.finished.notified().await;
            let waiting: Vec<_> = rollouts.lock().waiting.values().cloned().collect();
            Some((stream::iter(waiting), rollouts))
        });
        batches.flatten()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
