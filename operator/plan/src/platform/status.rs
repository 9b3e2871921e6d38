//! The status of a platform.

use innkeeper_crds::{BookingPlatform, BookingPlatformStatus};
use jiff::Timestamp;

use super::outcome::PlatformOutcome;
use crate::verdict::{self, Verdict};

/// The status with two values pinned: the image, so that a newer operator does not restart what an
/// older one has started, and the name of the topic that the platform has (`observed`), because the
/// topic's object may be deleted later.
pub fn pinned(
    platform: &BookingPlatform,
    observed: Option<String>,
    default_image: &str,
) -> BookingPlatformStatus {
    let before = platform.status.clone().unwrap_or_default();
    let image = platform.spec.image.clone().or_else(|| before.image.clone());
    BookingPlatformStatus {
        image: image.or_else(|| Some(default_image.to_owned())),
        topic: observed.or_else(|| before.topic.clone()),
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
