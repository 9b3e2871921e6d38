//! A topic lies outside Kubernetes: who wants it deleted with its object gets a finalizer, and nobody else.

use innkeeper_crds::EventTopic;
use innkeeper_crds::event_topic::DeletionPolicy;
use innkeeper_plan::names::TOPIC_FINALIZER;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use serde_json::json;

use super::fetch::bootstrap_servers;
use crate::context::Context;
use crate::error::Error;
use crate::kafka::KafkaError;
use crate::{controllers, events, status};

/// Gives an object the finalizer, or takes it away, as its deletion policy says.
pub(super) async fn keep_in_step(ctx: &Context, topic: &EventTopic) -> Result<(), Error> {
    let wanted = topic.spec.deletion_policy == DeletionPolicy::Delete;
    if wanted == is_held(topic) {
        return Ok(());
    }
    set(ctx, topic, wanted).await
}

/// Deletes the topic of an object that goes, if it is to be deleted and not another's, and lets the object go.
pub(super) async fn release(
    ctx: &Context,
    topic: &EventTopic,
    is_anothers: bool,
) -> Result<Action, Error> {
    if !is_held(topic) {
        return Ok(Action::await_change());
    }
    if topic.spec.deletion_policy == DeletionPolicy::Delete
        && !is_anothers
        && let Err(error) = delete(ctx, topic).await
    {
        let note = format!(
            "could not delete topic {}: {error}; to keep it and let this object go, set deletionPolicy: Retain",
            topic.spec.topic_name
        );
        tracing::warn!(
            object = status::what(topic),
            cause = error.cause(),
            "{note}"
        );
        events::publish(ctx, topic, EventType::Warning, "DeletionFailed", &note).await;
        return Ok(Action::requeue(controllers::SOON));
    }
    set(ctx, topic, false).await?;
    Ok(Action::await_change())
}

async fn delete(ctx: &Context, topic: &EventTopic) -> Result<(), KafkaError> {
    let Some(brokers) = bootstrap_servers(topic, &ctx.defaults) else {
        return Ok(());
    };
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics)?;
    kafka.delete(&topic.spec.topic_name).await
}

fn is_held(topic: &EventTopic) -> bool {
    topic.finalizers().iter().any(|it| it == TOPIC_FINALIZER)
}

/// Server-side apply would not do: who applies the object next, without the finalizer, would take it away.
async fn set(ctx: &Context, topic: &EventTopic, held: bool) -> Result<(), Error> {
    let others = topic
        .finalizers()
        .iter()
        .filter(|it| *it != TOPIC_FINALIZER);
    let mut finalizers: Vec<&str> = others.map(String::as_str).collect();
    if held {
        finalizers.push(TOPIC_FINALIZER);
    }
    let patch = json!({
        "metadata": { "finalizers": finalizers, "resourceVersion": topic.resource_version() },
    });
    ctx.api_beside::<EventTopic>(topic)
        .patch(
            &topic.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await
        .map(|_| ())
        .map_err(|source| Error::Apply {
            what: status::what(topic),
            source,
        })
}
