//! Which of the installation's defaults a platform has now.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_plan::platform::defaults::{in_force, would_change};
use innkeeper_plan::{ClusterDefaults, Facts};

use crate::cache::{Cache, readable};
use crate::context::Context;

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
    /// The turn of a platform, among all platforms.
    pub(super) fn of(
        ctx: &Context,
        platforms: &Cache<BookingPlatform>,
        platform: &BookingPlatform,
        facts: &Facts,
    ) -> Self {
        let (present, wanted) = (in_force(platform, &ctx.defaults), &ctx.defaults);
        if present == *wanted || !would_change(platform, facts, &present, wanted) {
            return Self::settled(wanted.clone());
        }
        let platforms = readable(platforms);
        let taken = ctx
            .turns
            .take(platform, &platforms, ctx.platforms_at_once, (ctx.now)());
        match taken {
            None => Self {
                is_waiting: true,
                ..Self::settled(present)
            },
            rollout => Self {
                rollout,
                ..Self::settled(wanted.clone())
            },
        }
    }

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
