//! A BookingPlatform becomes an EventTopic and DomainServices.

mod apply;
mod conditions;
mod fetch;

use std::sync::Arc;

use innkeeper_crds::{BookingPlatform, BookingPlatformStatus};
use innkeeper_plan::{Facts, Refusals, expand, validate};
use jiff::Timestamp;
use kube::runtime::controller::Action;

use self::apply::Children;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{Notes, Obstacle, Refused};
use crate::status::apply_status;
use crate::verdict::{self, State, Verdict};
use crate::{events, requeue};

/// How a platform came out of a reconciliation.
#[derive(Debug)]
enum Outcome {
    /// It makes no sense; nothing was written.
    Invalid(Refusals),
    /// Something is in the way; nothing was written.
    Stopped(Obstacle),
    /// The API server refuses one of its objects.
    Refused(Refused),
    /// Its objects are applied, and this is the name of its topic in Kafka.
    Applied(Children, String),
}

/// Brings a platform a step nearer to how it should be.
pub(crate) async fn reconcile(
    platform: BookingPlatform,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    if platform.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let platform = with_pins(&ctx, platform).await?;
    let mut notes = Notes::default();
    let outcome = carry_out(&ctx, &platform, &mut notes).await?;
    let verdict = notes.told(conditions::verdict(&outcome));
    events::publish_change(&ctx, &platform, &verdict).await;
    let status = status(&platform, &outcome, &verdict, (ctx.now)());
    apply_status(&ctx, &platform, &status).await?;
    Ok(Action::requeue(match verdict.state {
        State::Ready => requeue::ONCE_IN_A_WHILE,
        State::Reconciling | State::Stalled => requeue::LATER,
    }))
}

/// Pins the image of a platform that is seen for the first time, before anything is made of it: a
/// newer operator must not restart what an older one has started. The topic that it has is pinned
/// too: it may have no object tomorrow.
async fn with_pins(ctx: &Context, mut platform: BookingPlatform) -> Result<BookingPlatform, Error> {
    let before = platform.status.clone().unwrap_or_default();
    let image = platform.spec.image.clone().or(before.image.clone());
    let observed = fetch::topic_name(ctx, &platform).await?;
    let pinned = BookingPlatformStatus {
        image: image.or_else(|| Some(ctx.defaults.image.clone())),
        topic: observed.or(before.topic.clone()),
        ..before.clone()
    };
    if pinned != before {
        apply_status(ctx, &platform, &pinned).await?;
        platform.status = Some(pinned);
    }
    Ok(platform)
}

async fn carry_out(
    ctx: &Context,
    platform: &BookingPlatform,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    let executor = ctx.executor();
    match validate(platform, &executor) {
        Ok(validated) => {
            let facts = Facts::of(platform, &fetch::services(ctx, platform).await?);
            let expansion = expand(&validated, &executor, &facts);
            apply::apply(ctx, platform, &expansion, notes).await
        }
        Err(refusals) => Ok(Outcome::Invalid(refusals)),
    }
}

fn status(
    platform: &BookingPlatform,
    outcome: &Outcome,
    verdict: &Verdict,
    now: Timestamp,
) -> BookingPlatformStatus {
    let before = platform.status.clone().unwrap_or_default();
    let count = |length: usize| u32::try_from(length).ok();
    let (children, topic) = match outcome {
        Outcome::Applied(children, topic) => (Some(children), Some(topic.clone())),
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
        let outcome = Outcome::Stopped(Obstacle::Taken(vec!["DomainService pay".to_owned()]));
        let verdict = conditions::verdict(&outcome);
        let status = status(&platform, &outcome, &verdict, Timestamp::UNIX_EPOCH);
        assert_eq!(status.ready_services, None);
    }
}
