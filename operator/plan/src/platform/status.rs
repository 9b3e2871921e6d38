//! The status of a platform.

use innkeeper_crds::platform::DefaultsRollout;
use innkeeper_crds::{BookingPlatform, BookingPlatformStatus};
use jiff::Timestamp;

use super::defaults::recorded;
use super::outcome::PlatformOutcome;
use crate::executor::ClusterDefaults;
use crate::verdict::{self, Reason, State, Verdict};

/// The status with what is pinned: the image, so that a newer operator does not restart what an
/// older one has started, the name of the topic that the platform has (`observed`), because the
/// topic's object may be deleted later, and the installation's defaults. With new ones (`rollout`)
/// the platform is not ready until its services have them.
pub fn pinned(
    platform: &BookingPlatform,
    observed: Option<String>,
    defaults: &ClusterDefaults,
    rollout: Option<DefaultsRollout>,
) -> BookingPlatformStatus {
    let mut before = platform.status.clone().unwrap_or_default();
    if let Some(rollout) = &rollout {
        before.conditions = verdict::conditions(
            &Verdict::reconciling(
                Reason::Progressing,
                "New defaults of the installation reach the services",
            ),
            platform.metadata.generation,
            &before.conditions,
            rollout.started_at.0,
        );
    }
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
    use crate::platform::defaults::rollout;

    fn rentcar() -> BookingPlatform {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": { "name": "rentcar" },
            "spec": { "services": [] },
        }))
        .unwrap()
    }

    #[test]
    fn a_platform_that_takes_new_defaults_is_not_ready() {
        let mut platform = rentcar();
        let ready = Verdict::ready(Reason::Ready, "5 services are ready");
        platform.status = Some(BookingPlatformStatus {
            conditions: verdict::conditions(&ready, None, &[], Timestamp::UNIX_EPOCH),
            ..BookingPlatformStatus::default()
        });
        let defaults = ClusterDefaults::default();
        let is_ready = |rollout| {
            let pinned = pinned(&platform, None, &defaults, rollout);
            verdict::holds(&pinned.conditions, State::Ready)
        };
        assert!(is_ready(None));
        assert!(!is_ready(Some(rollout(&platform, Timestamp::UNIX_EPOCH))));
    }

    #[test]
    fn services_that_nobody_looked_at_are_not_counted_as_ready() {
        let mut platform = rentcar();
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
