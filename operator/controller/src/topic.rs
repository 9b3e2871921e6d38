//! Turns an EventTopic into a topic in Kafka, and keeps it as described.

mod apply;
pub(crate) mod drift;
mod fetch;
mod finalizer;
mod loss;
mod owner;
mod publish;
mod rivals;
#[cfg(test)]
mod scenarios;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use innkeeper_crds::EventTopic;
use innkeeper_plan::topic::history::{Fate, fate};
use innkeeper_plan::topic::release::deletes;
use innkeeper_plan::topic::rivals::{OlderRival, older_rival};
use innkeeper_plan::topic::{TopicLookup, TopicOutcome, bootstrap_servers, event, plan, settled};
use innkeeper_plan::verdict::State;
use kube::runtime::controller::Action;
pub(crate) use rivals::rivals;
use tell::tell;

use crate::cache::{Cache, readable};
use crate::context::Context;
use crate::error::Error;
use crate::kafka::{KafkaError, Topics};
use crate::requeue;
use apply::Applied;

/// When to check again whether a platform's status mentions the loss of its topic.
const TOLD_SOON: Duration = Duration::from_millis(250);

/// Brings a topic one step closer to what its object describes.
pub(crate) async fn reconcile(
    topic: EventTopic,
    ctx: Arc<Context>,
    all: Cache<EventTopic>,
) -> Result<Action, Error> {
    if topic.metadata.deletion_timestamp.is_some() {
        return finalizer::release(&ctx, &topic).await;
    }
    finalizer::keep_in_step(&ctx, &topic).await?;
    let older = older_rival(&topic, &readable(&all), &ctx.defaults);
    let outcome = carry_out(&ctx, &topic, older).await?;
    // The owner matters only for recording a topic, which must be as described for that.
    let is_settled = matches!(outcome, TopicOutcome::Settled(..));
    let owner_lives = is_settled && owner::fetch_owner_lives(&ctx, &topic).await?;
    let state = tell(&ctx, &topic, &outcome, owner_lives).await?;
    Ok(Action::requeue(match (&outcome, state) {
        (TopicOutcome::Lost(_), _) => TOLD_SOON,
        (_, State::Ready) => ctx.topic_resync,
        (_, State::Reconciling) => requeue::SOON,
        (_, State::Stalled) => requeue::LATER,
    }))
}

async fn carry_out(
    ctx: &Context,
    topic: &EventTopic,
    older: Option<OlderRival>,
) -> Result<TopicOutcome, Error> {
    let Some(brokers) = bootstrap_servers(topic, &ctx.defaults) else {
        return Ok(TopicOutcome::NoBrokers);
    };
    if deletes(topic) && ctx.is_own_namespace(topic) {
        return Ok(TopicOutcome::OwnNamespace);
    }
    if let Some(older) = older {
        return Ok(TopicOutcome::TakenBy(older));
    }
    let found = async {
        let kafka = ctx.brokers.topics(brokers, &ctx.metrics)?;
        let found = kafka.fetch(&topic.spec.topic_name).await?;
        Ok::<_, KafkaError>((kafka, found))
    };
    let (kafka, found) = match found.await {
        Ok(found) => found,
        Err(error) => return Ok(TopicOutcome::Failed(error.into())),
    };
    let fate = fate(topic.recorded_topic(), &found);
    if fate.is_loss() && !loss::fetch_is_told(ctx, topic).await? {
        loss::log(topic, fate);
        return Ok(TopicOutcome::Lost(fate));
    }
    let settled = settle(ctx, topic, &kafka, found, fate).await;
    Ok(settled.unwrap_or_else(|error| TopicOutcome::Failed(error.into())))
}

async fn settle(
    ctx: &Context,
    topic: &EventTopic,
    kafka: &Topics<'_>,
    found: TopicLookup,
    fate: Fate,
) -> Result<TopicOutcome, KafkaError> {
    let (spec, name) = (&topic.spec, &topic.spec.topic_name);
    let was_written = fetch::fetch_was_written(kafka, spec, &found).await?;
    let plan = match plan::plan(spec, found.topic.as_ref(), was_written) {
        Ok(plan) => plan,
        Err(impossible) => return Ok(TopicOutcome::Impossible(impossible)),
    };
    if plan == plan::TopicPlan::Create
        && let Some(other) = fetch::fetch_colliding(kafka, name).await?
    {
        return Ok(TopicOutcome::Collides(other));
    }
    if apply::apply(kafka, spec, &plan).await? == Applied::Done {
        if plan.repairs_drift(topic) {
            ctx.metrics.count_repaired_drift();
        }
        if let Some(done) = event::of_plan(topic, &plan, fate) {
            publish::publish(ctx, topic, &done).await;
        }
    }
    let seen = if plan.is_nothing() {
        found
    } else {
        kafka.fetch(name).await?
    };
    let outcome = settled(spec, seen);
    if let (TopicOutcome::Settled(..), Some(news)) = (&outcome, event::of_fate(topic, fate)) {
        publish::publish(ctx, topic, &news).await;
    }
    Ok(outcome)
}
