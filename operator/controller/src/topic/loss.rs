//! The loss of a topic that somebody deleted with all its records. It is reported before the topic
//! is created again. Otherwise it would look as if nothing had happened.

use innkeeper_crds::{BookingPlatform, EventTopic};
use innkeeper_plan::topic::conditions::is_lost;
use innkeeper_plan::topic::history::Fate;
use innkeeper_plan::verdict::{Reason, State, holds, ready_condition};
use jiff::SignedDuration;
use kube::ResourceExt as _;

use crate::context::Context;
use crate::error::Error;
use crate::status::{HasConditions as _, fetch_status, what};

/// How long to wait for the platform's status to mention the loss of its topic.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// Logs a loss, once.
pub(super) fn log(topic: &EventTopic, fate: Fate) {
    if !is_lost(topic) {
        tracing::warn!(
            object = what(topic),
            topic_name = topic.spec.topic_name,
            ?fate,
            "someone deleted a topic with all its records"
        );
    }
}

/// Whether the loss of a topic is mentioned in its own status and, unless that takes too long, in
/// that of its platform.
pub(super) async fn fetch_is_told(ctx: &Context, topic: &EventTopic) -> Result<bool, Error> {
    if !is_lost(topic) {
        return Ok(false);
    }
    let ready = ready_condition(topic.conditions());
    let since = ready.map(|it| it.last_transition_time.0);
    if since.is_none_or(|since| (ctx.now)().duration_since(since) > TOLD_WITHIN) {
        return Ok(true);
    }
    let Some(platform) = &topic.spec.platform else {
        return Ok(true);
    };
    let platform = fetch_status::<BookingPlatform>(ctx, topic, platform).await?;
    Ok(platform.is_none_or(|platform| {
        let owns = topic
            .owner_references()
            .iter()
            .any(|it| Some(&it.uid) == platform.metadata.uid.as_ref());
        let ready = ready_condition(platform.conditions());
        !owns
            || holds(platform.conditions(), State::Stalled)
            || ready.is_some_and(|it| it.reason == Reason::TopicLost.word())
    }))
}
