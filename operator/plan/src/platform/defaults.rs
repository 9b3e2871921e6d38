//! New defaults of the installation, which platforms take one after another. Until a platform takes
//! them, it keeps those that its status names.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::{DefaultsRollout, InstallationDefaults};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::executor::{ClusterDefaults, Executor};
use crate::facts::Facts;
use crate::verdict::{State, holds};
use crate::{expand, validate};

/// How long a platform that was not ready before it took new defaults is waited for.
const WAIT_FOR_UNREADY: SignedDuration = SignedDuration::from_mins(2);

/// The installation's defaults as they belong into a status.
pub fn recorded(defaults: &ClusterDefaults) -> InstallationDefaults {
    InstallationDefaults {
        bootstrap_servers: defaults.bootstrap_servers.clone(),
        database: defaults.database.clone(),
    }
}

/// The defaults that a platform has, given those of now: a platform without any takes these. The
/// image is always that of now, because the status has a platform's image of its own.
pub fn in_force(platform: &BookingPlatform, now: &ClusterDefaults) -> ClusterDefaults {
    let status = platform.status.as_ref();
    match status.and_then(|it| it.defaults.clone()) {
        None => now.clone(),
        Some(InstallationDefaults {
            bootstrap_servers,
            database,
        }) => ClusterDefaults {
            bootstrap_servers,
            database,
            image: now.image.clone(),
        },
    }
}

/// Whether other defaults would change the services of a platform. It does not matter for one that
/// is invalid: nothing of it is changed.
pub fn would_change(
    platform: &BookingPlatform,
    facts: &Facts,
    from: &ClusterDefaults,
    to: &ClusterDefaults,
) -> bool {
    let services = |defaults: &ClusterDefaults| {
        let executor = Executor::Cluster(defaults.clone());
        let validated = validate(platform, &executor).ok()?;
        Some(expand(&validated, &executor, facts))
    };
    let (from, to) = (services(from), services(to));
    from.is_some() && to.is_some() && from != to
}

/// The record in the status of a platform that takes new defaults.
pub fn rollout(platform: &BookingPlatform, now: Timestamp) -> DefaultsRollout {
    let status = platform.status.as_ref();
    let was_ready = status.is_some_and(|it| match &it.defaults_rollout {
        Some(rollout) => rollout.was_ready,
        None => holds(&it.conditions, State::Ready),
    });
    DefaultsRollout {
        started_at: Time(now),
        was_ready,
    }
}

/// Whether others wait until a platform is ready with its new defaults.
pub fn is_awaited(rollout: &DefaultsRollout, now: Timestamp) -> bool {
    rollout.was_ready || now.duration_since(rollout.started_at.0) < WAIT_FOR_UNREADY
}
