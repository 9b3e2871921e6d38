//! Reports the state of a topic.

use innkeeper_crds::EventTopic;
use innkeeper_plan::topic::{TopicOutcome, bootstrap_servers, conditions, status};
use innkeeper_plan::verdict::State;

use crate::context::Context;
use crate::error::Error;
use crate::events;
use crate::status::apply_status;

/// Reports the state of a topic in an event and in its object's status.
pub(super) async fn tell(
    ctx: &Context,
    topic: &EventTopic,
    outcome: &TopicOutcome,
    owner_lives: bool,
) -> Result<State, Error> {
    let brokers = bootstrap_servers(topic, &ctx.defaults).unwrap_or_default();
    let verdict = conditions::verdict(topic, outcome, brokers);
    events::publish_change(ctx, topic, &verdict).await;
    let status = status(topic, outcome, &verdict, owner_lives, (ctx.now)());
    apply_status(ctx, topic, &status).await?;
    Ok(verdict.state)
}
