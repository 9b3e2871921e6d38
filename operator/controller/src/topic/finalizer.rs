//! A topic lies outside Kubernetes: who wants it deleted with its object gets a finalizer, and nobody else.
//!
//! An object may go although nobody wanted its topic to go: the garbage collector removes what was restored from a backup with
//! the UIDs of former owners. So a topic is deleted only if it is the very one that the object recorded while its owner
//! lived, and only if nobody who stays names it.

use innkeeper_crds::EventTopic;
use innkeeper_plan::names::TOPIC_FINALIZER;
use innkeeper_plan::topic::event::{self, TopicEvent};
use innkeeper_plan::topic::release::{Release, deletes, release as judge};
use innkeeper_plan::topic::{TopicOutcome, bootstrap_servers};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use serde_json::json;

use super::publish::publish;
use super::{rivals, tell};
use crate::context::Context;
use crate::error::Error;
use crate::kafka::KafkaError;
use crate::{requeue, status};

/// Gives an object the finalizer, or takes it away, as its deletion policy says.
pub(super) async fn keep_in_step(ctx: &Context, topic: &EventTopic) -> Result<(), Error> {
    let wanted = deletes(topic) && !ctx.is_own_namespace(topic);
    if wanted == is_held(topic) {
        return Ok(());
    }
    set(ctx, topic, wanted).await
}

/// Deletes the topic of an object that goes, if that was wanted, and lets the object go.
pub(super) async fn release(ctx: &Context, topic: &EventTopic) -> Result<Action, Error> {
    if !is_held(topic) {
        return Ok(Action::await_change());
    }
    if deletes(topic) {
        let told = match decide(ctx, topic).await {
            Ok(told) => told,
            Err(blocked) => return wait(ctx, topic, blocked).await,
        };
        if let Some(told) = told {
            publish(ctx, topic, &told).await;
        }
    }
    set(ctx, topic, false).await?;
    Ok(Action::await_change())
}

/// What keeps a topic from being deleted, and its object with it.
#[derive(Debug, thiserror::Error)]
enum Blocked {
    #[error("{0}")]
    Kafka(#[source] KafkaError),
    #[error("{0}")]
    Cluster(#[source] Error),
}

/// Says why the object does not go, and how to let it go.
async fn wait(ctx: &Context, topic: &EventTopic, blocked: Blocked) -> Result<Action, Error> {
    let cause = match &blocked {
        Blocked::Kafka(error) => error.cause(),
        Blocked::Cluster(error) => std::error::Error::source(error).map(ToString::to_string),
    };
    let why = match cause {
        Some(cause) => format!("{blocked} ({cause})"),
        None => blocked.to_string(),
    };
    tell(ctx, topic, &TopicOutcome::NotDeleted(why), false).await?;
    Ok(Action::requeue(requeue::SOON))
}

/// Decides what becomes of the topic, does it, and returns what is to be told of it.
async fn decide(ctx: &Context, topic: &EventTopic) -> Result<Option<TopicEvent>, Blocked> {
    let name = &topic.spec.topic_name;
    if ctx.is_own_namespace(topic) {
        return Ok(Some(event::kept(
            name,
            "it lies in the operator's own namespace",
        )));
    }
    let Some(brokers) = bootstrap_servers(topic, &ctx.defaults) else {
        return Ok(Some(event::kept(name, "no Kafka is configured")));
    };
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics);
    let kafka = kafka.map_err(Blocked::Kafka)?;
    let found = kafka.fetch(name).await.map_err(Blocked::Kafka)?;
    let named_by = rivals::fetch_other_user(ctx, topic).await;
    Ok(
        match judge(topic, &found, named_by.map_err(Blocked::Cluster)?) {
            Release::Nothing => None,
            Release::Keep(why) => Some(event::kept(name, &why)),
            Release::Delete => {
                kafka.delete(name).await.map_err(Blocked::Kafka)?;
                Some(event::deleted(name))
            }
        },
    )
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
    let object = status::what(topic);
    ctx.api_beside::<EventTopic>(topic)
        .patch(
            &topic.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await
        .map_err(|source| Error::Apply {
            what: object.clone(),
            source,
        })?;
    let namespace = topic.namespace();
    tracing::info!(object, namespace, fields = "metadata.finalizers", "changed");
    Ok(())
}
