//! Gives platforms their turns to take new defaults of the installation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_plan::platform::defaults::{is_awaited, rollout};
use jiff::Timestamp;
use kube::ResourceExt as _;

/// The turns that this process has given, by the uid of the platform. Those of earlier processes
/// stand in the statuses of platforms.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, DefaultsRollout>>);

impl Turns {
    /// Gives a platform its turn, unless `at_once` others are at it.
    pub(crate) fn take(
        &self,
        platform: &BookingPlatform,
        platforms: &[Arc<BookingPlatform>],
        at_once: usize,
        now: Timestamp,
    ) -> Option<DefaultsRollout> {
        let mut given = self.lock();
        let is_at_it = |platform: &BookingPlatform| {
            let status = platform.status.as_ref();
            let recorded = status.and_then(|it| it.defaults_rollout.as_ref());
            // A cache may not have seen yet what this process wrote.
            let rollout = recorded.or_else(|| given.get(&platform.uid()?));
            rollout.is_some_and(|it| is_awaited(it, now))
        };
        let others = platforms.iter().filter(|it| {
            it.uid() != platform.uid() && it.metadata.deletion_timestamp.is_none() && is_at_it(it)
        });
        // One that is at it may take newer ones: they may be right where those before were wrong.
        if !is_at_it(platform) && others.count() >= at_once {
            return None;
        }
        let rollout = rollout(platform, now);
        given.insert(platform.uid().unwrap_or_default(), rollout.clone());
        Some(rollout)
    }

    /// Ends the turn of a platform that is ready with its new defaults.
    pub(crate) fn end(&self, platform: &BookingPlatform) {
        self.lock().remove(&platform.uid().unwrap_or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, DefaultsRollout>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
