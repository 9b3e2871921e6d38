//! Gives platforms their turns when the installation gets new defaults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_plan::platform::defaults::{in_force, is_awaited, rollout, would_change};
use innkeeper_plan::{ClusterDefaults, Facts};
use kube::ResourceExt as _;

use crate::cache::{Cache, readable};
use crate::context::Context;

/// The turns that this process has given, by the uid of the platform.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, DefaultsRollout>>);

/// What a platform has of the installation's defaults.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// The defaults to expand it with.
    pub defaults: ClusterDefaults,
    /// If it takes them now.
    pub rollout: Option<DefaultsRollout>,
    /// Whether it waits for its turn to take newer ones.
    pub is_waiting: bool,
}

impl Turn {
    /// What to say about it in the platform's status.
    pub(super) fn notes(&self) -> Vec<String> {
        let waits = "New defaults of the installation reach this platform when those before it are ready with them";
        self.is_waiting
            .then(|| waits.to_owned())
            .into_iter()
            .collect()
    }

    fn settled(defaults: ClusterDefaults) -> Self {
        Self {
            defaults,
            rollout: None,
            is_waiting: false,
        }
    }
}

/// The turn of a platform, among all platforms.
pub(super) fn turn(
    ctx: &Context,
    platforms: &Cache<BookingPlatform>,
    platform: &BookingPlatform,
    facts: &Facts,
) -> Turn {
    let (present, wanted) = (in_force(platform, &ctx.defaults), &ctx.defaults);
    if present == *wanted || !would_change(platform, facts, &present, wanted) {
        return Turn::settled(wanted.clone());
    }
    match take(ctx, &readable(platforms), platform) {
        None => Turn {
            is_waiting: true,
            ..Turn::settled(present)
        },
        Some(rollout) => Turn {
            rollout: Some(rollout),
            ..Turn::settled(wanted.clone())
        },
    }
}

/// Gives a platform its turn, unless enough others are at it.
fn take(
    ctx: &Context,
    platforms: &[Arc<BookingPlatform>],
    platform: &BookingPlatform,
) -> Option<DefaultsRollout> {
    let now = (ctx.now)();
    let mut given = ctx.turns.lock();
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
    // One that is at it already may always take newer ones: they may be right where those were wrong.
    if !is_at_it(platform) && others.count() >= ctx.platforms_at_once {
        return None;
    }
    let rollout = rollout(platform, now);
    given.insert(platform.uid().unwrap_or_default(), rollout.clone());
    Some(rollout)
}

impl Turns {
    /// Ends the turn of a platform that is ready with its new defaults.
    pub(super) fn end(&self, platform: &BookingPlatform) {
        self.lock().remove(&platform.uid().unwrap_or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, DefaultsRollout>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
