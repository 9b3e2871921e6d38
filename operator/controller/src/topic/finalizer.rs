//! The finalizer of topics. A topic is not part of Kubernetes, so an object that asks for the
//! deletion of its topic gets a finalizer; other objects get none.
//!
//! An object may be deleted although nobody wanted its topic to be deleted: the garbage collector
//! deletes objects that were restored from a backup with the UIDs of former owners. So a topic is
//! deleted only if it is certainly the one that the object recorded while its owner existed, and if
//! no other object that stays names it.

use innkeeper_crds::EventTopic;
use innkeeper_plan::names::TOPIC_FINALIZER;
use innkeeper_plan::topic::event::{self, TopicEvent};
use innkeeper_plan::topic::release::{Release, decision, deletes};
use innkeeper_plan::topic::{TopicOutcome, bootstrap_servers};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use serde_json::json;

use super::publish::publish;
use super::rivals;
use super::tell::tell;
use crate::context::Context;
use crate::error::Error;
use crate::kafka::KafkaError;
use crate::{requeue, status};

/// Adds or removes the finalizer, according to the object's deletion policy.
pub(super) async fn keep_in_step(ctx: &Context, topic: &EventTopic) -> Result<(), Error> {
    let wanted = deletes(topic) && !ctx.is_own_namespace(topic);
    if wanted == is_held(topic) {
        return Ok(());
    }
    set(ctx, topic, wanted).await
}

/// Deletes the topic of an object that is being deleted, if the object asks for it, and removes the
/// finalizer.
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

/// What prevents a topic from being deleted, and therefore its object.
#[derive(Debug, thiserror::Error)]
enum Blocked {
    #[error("{0}")]
    Kafka(#[source] KafkaError),
    #[error("{0}")]
    Cluster(#[source] Error),
}

/// Reports why the object is not deleted yet, and how to release it.
async fn wait(ctx: &Context, topic: &EventTopic, blocked: Blocked) -> Result<Action, Error> {
    let cause = match &blocked {
        Blocked::Kafka(error) => error.cause().map(str::to_owned),
        Blocked::Cluster(error) => std::error::Error::source(error).map(ToString::to_string),
    };
    let why = match cause {
        Some(cause) => format!("{blocked} ({cause})"),
        None => blocked.to_string(),
    };
    tell(ctx, topic, &TopicOutcome::NotDeleted(why), false).await?;
    Ok(Action::requeue(requeue::SOON))
}

/// Decides what to do about the topic, does it, and returns the event to publish.
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
        match decision(topic, &found, named_by.map_err(Blocked::Cluster)?) {
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

/// Sets or removes the finalizer. Server-side apply is no use here: whoever applied the object
/// again without the finalizer would remove it.
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
