//! New defaults of the installation, which platforms take one after another. Until a platform takes
//! them, it keeps those that it has.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::platform::{DefaultsRollout, InstallationDefaults};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::executor::{ClusterDefaults, Executor};
use crate::expand::{Expansion, expand};
use crate::facts::Facts;
use crate::refusal::Refusals;
use crate::validate::validate;
use crate::verdict::{State, holds};

/// How long a platform that was not ready before it took new defaults is waited for.
const WAIT_FOR_UNREADY: SignedDuration = SignedDuration::from_mins(2);

/// What the installation's defaults mean to a platform that has others.
#[derive(Clone, Debug, PartialEq)]
pub enum NewDefaults {
    /// Nothing of the platform changes with them.
    Same,
    /// The platform changes with them, or was not valid with those that it has.
    Different,
    /// The platform is not valid with them.
    Unusable(Refusals),
}

/// What the installation's defaults mean to a platform with these.
pub fn compare(
    platform: &BookingPlatform,
    facts: &Facts,
    present: &ClusterDefaults,
    new: &ClusterDefaults,
) -> NewDefaults {
    let new = match expanded(platform, facts, new) {
        Ok(new) => new,
        Err(refusals) => return NewDefaults::Unusable(refusals),
    };
    match expanded(platform, facts, present) {
        Ok(present) if present == new => NewDefaults::Same,
        _ => NewDefaults::Different,
    }
}

fn expanded(
    platform: &BookingPlatform,
    facts: &Facts,
    defaults: &ClusterDefaults,
) -> Result<Expansion, Refusals> {
    let executor = Executor::Cluster(defaults.clone());
    let validated = validate(platform, &executor)?;
    Ok(expand(&validated, &executor, facts))
}

/// The installation's defaults as they belong into a status.
pub fn recorded(defaults: &ClusterDefaults) -> InstallationDefaults {
    InstallationDefaults {
        bootstrap_servers: defaults.bootstrap_servers.clone(),
        kafka: Some(defaults.kafka.clone()).filter(|it| *it != KafkaSecurity::default()),
        database: defaults.database.clone(),
    }
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
