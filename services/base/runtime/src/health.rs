//! What the probes answer: whether start-up is over, whether the service wants traffic, and what is
//! missing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use innkeeper_contracts::pod;
use innkeeper_contracts::secret::masked;
use serde::Serialize;

use crate::lifecycle::Lifecycle;

/// The condition that holds after [`Health::started`].
const STARTED: &str = "started";
/// The condition that [`Health::ready`] sets.
const READY: &str = "ready";
/// The condition that fails once the service is shutting down.
const STAYING: &str = "staying";
/// The condition that fails once something is broken that only a new process mends.
const PROCESS: &str = "process";

/// The conditions that do not hold, by name, with the reason.
pub type Missing = BTreeMap<&'static str, String>;

/// The result of a probe.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ProbeResult {
    /// Whether every condition holds.
    pub ok: bool,
    /// The conditions that do not hold.
    pub missing: Missing,
}

impl ProbeResult {
    fn of(missing: Missing) -> Self {
        Self {
            ok: missing.is_empty(),
            missing,
        }
    }
}

/// The health of one service. Clones share one state. A new service is neither started nor ready.
#[derive(Clone, Debug)]
pub struct Health {
    lifecycle: Lifecycle,
    missing: Arc<Mutex<Missing>>,
}

impl Health {
    /// The health of a service that is starting.
    pub fn new(lifecycle: &Lifecycle) -> Self {
        let missing = Missing::from([
            (STARTED, pod::STARTING.to_owned()),
            (READY, pod::NOT_SERVING.to_owned()),
        ]);
        Self {
            lifecycle: lifecycle.clone(),
            missing: Arc::new(Mutex::new(missing)),
        }
    }

    /// Records what start-up waits for.
    pub fn starting(&self, waits_for: impl AsRef<str>) {
        let reason = masked(waits_for.as_ref()).into_owned();
        if let Some(missing) = self.lock().get_mut(STARTED) {
            *missing = reason;
        }
    }

    /// Records that start-up is over.
    pub fn started(&self) {
        self.met(STARTED);
    }

    /// Records whether the service wants traffic.
    pub fn ready(&self, ready: bool) {
        if ready {
            self.met(READY);
        } else {
            self.unmet(READY, "the service does not want traffic now");
        }
    }

    /// Records that a condition of readiness does not hold, and why.
    pub fn unmet(&self, condition: &'static str, reason: impl AsRef<str>) {
        let reason = masked(reason.as_ref()).into_owned();
        self.lock().insert(condition, reason);
    }

    /// Records that a condition of readiness holds.
    pub fn met(&self, condition: &'static str) {
        self.lock().remove(condition);
    }

    /// Whether the process can make progress: not once a task has panicked, or the database has
    /// closed.
    pub fn live(&self) -> ProbeResult {
        let failure = self.lifecycle.failure();
        let missing = failure.map(|reason| (PROCESS, reason.to_owned()));
        ProbeResult::of(missing.into_iter().collect())
    }

    /// Whether start-up is over.
    pub fn startup(&self) -> ProbeResult {
        let missing = self
            .lock()
            .get_key_value(STARTED)
            .map(|(name, reason)| (*name, reason.clone()));
        ProbeResult::of(missing.into_iter().collect())
    }

    /// Whether the service wants traffic: it has started, every condition holds, and it is not
    /// shutting down.
    pub fn readiness(&self) -> ProbeResult {
        let mut missing = self.lock().clone();
        if self.lifecycle.is_leaving() {
            missing.insert(STAYING, "the service is shutting down".to_owned());
        }
        ProbeResult::of(missing)
    }

    fn lock(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().expect("no holder of this lock panics")
    }
}
