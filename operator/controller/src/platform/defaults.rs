//! Which of the installation's defaults a platform has now.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_plan::platform::defaults::{NewDefaults, compare};
use innkeeper_plan::{ClusterDefaults, Facts};

use crate::cache::{Cache, readable};
use crate::context::Context;

/// The installation's defaults as a platform has them.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    /// The defaults to expand it with.
    pub values: ClusterDefaults,
    /// If it takes new ones now.
    pub rollout: Option<DefaultsRollout>,
    /// Whether it waits until it may take new ones.
    pub is_waiting: bool,
    /// What to say about them in the platform's status.
    pub note: Option<String>,
}

impl Defaults {
    /// The defaults of a platform, among all platforms.
    pub(super) fn of(
        ctx: &Context,
        platforms: &Cache<BookingPlatform>,
        platform: &BookingPlatform,
        facts: &Facts,
    ) -> Self {
        let Some(present) = present(ctx, facts).filter(|it| *it != ctx.defaults) else {
            return Self::just(ctx.defaults.clone());
        };
        match compare(platform, facts, &present, &ctx.defaults) {
            NewDefaults::Same => Self::just(ctx.defaults.clone()),
            NewDefaults::Unusable(refusals) => Self {
                note: Some(format!(
                    "The installation's defaults do not suit this platform, which keeps those that it has: {refusals}"
                )),
                ..Self::just(present)
            },
            NewDefaults::Different => match start(ctx, platforms, platform) {
                None => Self {
                    is_waiting: true,
                    note: Some(
                        "New defaults of the installation reach this platform when those before it are ready with them".to_owned(),
                    ),
                    ..Self::just(present)
                },
                rollout => Self {
                    rollout,
                    ..Self::just(ctx.defaults.clone())
                },
            },
        }
    }

    fn just(values: ClusterDefaults) -> Self {
        Self {
            values,
            rollout: None,
            is_waiting: false,
            note: None,
        }
    }
}

fn start(
    ctx: &Context,
    platforms: &Cache<BookingPlatform>,
    platform: &BookingPlatform,
) -> Option<DefaultsRollout> {
    let platforms = readable(platforms);
    ctx.rollouts
        .start(&platforms, platform, &ctx.metrics, (ctx.now)())
}

/// The defaults that a platform has. The image is always that of now, because a platform's status
/// has an image of its own.
fn present(ctx: &Context, facts: &Facts) -> Option<ClusterDefaults> {
    let present = facts.defaults.clone()?;
    Some(ClusterDefaults {
        bootstrap_servers: present.bootstrap_servers,
        kafka: present.kafka.unwrap_or_default(),
        database: present.database,
        image: ctx.defaults.image.clone(),
    })
}
