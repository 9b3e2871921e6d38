//! The status of a platform.

use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_crds::{BookingPlatform, BookingPlatformStatus};
use jiff::Timestamp;

use super::defaults::recorded;
use super::outcome::PlatformOutcome;
use crate::executor::ClusterDefaults;
use crate::verdict::{self, State, Verdict};

/// The status with what is pinned: the image, so that a newer operator does not restart what an
/// older one has started, the name of the topic that the platform has (`observed`), because the
/// topic's object may be deleted later, and the installation's defaults; `rollout` if it takes new
/// ones.
pub fn pinned(
    platform: &BookingPlatform,
    observed: Option<String>,
    defaults: &ClusterDefaults,
    rollout: Option<DefaultsRollout>,
) -> BookingPlatformStatus {
    let before = platform.status.clone().unwrap_or_default();
    let image = platform.spec.image.clone().or_else(|| before.image.clone());
    BookingPlatformStatus {
        image: image.or_else(|| Some(defaults.image.clone())),
        topic: observed.or_else(|| before.topic.clone()),
        defaults: Some(recorded(defaults)),
        defaults_rollout: rollout.or_else(|| before.defaults_rollout.clone()),
        ..before
    }
}

/// The status of a platform after a reconciliation.
pub fn status(
    platform: &BookingPlatform,
    outcome: &PlatformOutcome,
    verdict: &Verdict,
    now: Timestamp,
) -> BookingPlatformStatus {
    let before = platform.status.clone().unwrap_or_default();
    let count = |length: usize| u32::try_from(length).ok();
    let (children, topic) = match outcome {
        PlatformOutcome::Applied(children, topic) => (Some(children), Some(topic.clone())),
        _ => (None, None),
    };
    BookingPlatformStatus {
        observed_generation: platform.metadata.generation.unwrap_or_default(),
        conditions: verdict::conditions(
            verdict,
            platform.metadata.generation,
            &before.conditions,
            now,
        ),
        image: before.image,
        topic: topic.or(before.topic),
        defaults: before.defaults,
        defaults_rollout: before
            .defaults_rollout
            .filter(|_| verdict.state != State::Ready),
        services: count(platform.spec.services.len()),
        ready_services: children.and_then(|it| count(it.ready_services())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ownership::Obstacle;
    use crate::platform::conditions;

    #[test]
    fn services_that_nobody_looked_at_are_not_counted_as_ready() {
        let mut platform: BookingPlatform = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": { "name": "rentcar" },
            "spec": { "services": [] },
        }))
        .unwrap();
        platform.status = Some(BookingPlatformStatus {
            ready_services: Some(5),
            ..BookingPlatformStatus::default()
        });
        let outcome =
            PlatformOutcome::Stopped(Obstacle::Taken(vec!["DomainService pay".to_owned()]));
        let verdict = conditions::verdict(&outcome);
        let status = status(&platform, &outcome, &verdict, Timestamp::UNIX_EPOCH);
        assert_eq!(status.ready_services, None);
    }
}
