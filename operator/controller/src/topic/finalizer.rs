//! A topic lies outside Kubernetes: who wants it deleted with its object gets a finalizer, and nobody else.
//!
//! An object may go although nobody wanted its topic to go: the garbage collector removes what was restored from a backup with
//! the UIDs of former owners. So a topic is deleted only if it is the very one that the object recorded while its owner
//! lived, and only if nobody who stays names it.

use innkeeper_crds::EventTopic;
use innkeeper_crds::event_topic::DeletionPolicy;
use innkeeper_plan::names::TOPIC_FINALIZER;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use serde_json::json;

use super::fetch::bootstrap_servers;
use super::history::{Fate, fate, is_the_very_topic};
use super::trace::{self, Trace};
use super::{Outcome, claims, tell};
use crate::context::Context;
use crate::error::Error;
use crate::kafka::{Found, KafkaError};
use crate::{requeue, status};

/// Whether a topic goes with its object.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Release {
    /// It is deleted.
    Delete,
    /// There is none to delete.
    Nothing,
    /// It is kept, and why.
    Keep(String),
}

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
            trace::publish(ctx, topic, &told).await;
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
    tell(ctx, topic, &Outcome::NotDeleted(why), false).await?;
    Ok(Action::requeue(requeue::SOON))
}

/// Decides what becomes of the topic, does it, and returns what is to be told of it.
async fn decide(ctx: &Context, topic: &EventTopic) -> Result<Option<Trace>, Blocked> {
    let name = &topic.spec.topic_name;
    if ctx.is_own_namespace(topic) {
        return Ok(Some(trace::kept(
            name,
            "it lies in the operator's own namespace",
        )));
    }
    let Some(brokers) = bootstrap_servers(topic, &ctx.defaults) else {
        return Ok(Some(trace::kept(name, "no Kafka is configured")));
    };
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics);
    let kafka = kafka.map_err(Blocked::Kafka)?;
    let found = kafka.fetch(name).await.map_err(Blocked::Kafka)?;
    let named_by = claims::fetch_living_claim(ctx, topic).await;
    Ok(
        match judge(topic, &found, named_by.map_err(Blocked::Cluster)?) {
            Release::Nothing => None,
            Release::Keep(why) => Some(trace::kept(name, &why)),
            Release::Delete => {
                kafka.delete(name).await.map_err(Blocked::Kafka)?;
                Some(trace::deleted(name))
            }
        },
    )
}

fn judge(topic: &EventTopic, found: &Found, named_by: Option<String>) -> Release {
    if found.topic.is_none() {
        return Release::Nothing;
    }
    let record = topic.recorded_topic();
    let keep = |why: &str| Release::Keep(why.to_owned());
    match (record, fate(record, found)) {
        (_, Fate::Moved) => {
            keep("its brokers belong to another Kafka cluster than the one that had it")
        }
        (_, Fate::Replaced) => keep("someone has made it anew, and its records are another's"),
        (Some(record), _) if is_the_very_topic(record, found) => match named_by {
            Some(other) => Release::Keep(format!("{other} names it")),
            None => Release::Delete,
        },
        (None, _) => keep("it was never seen as described while the owner of this object lived"),
        (Some(_), _) => keep("its brokers give no ids, so that it may be another one"),
    }
}

pub(super) fn deletes(topic: &EventTopic) -> bool {
    topic.spec.deletion_policy == DeletionPolicy::Delete
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

#[cfg(test)]
mod tests {
    use super::super::history::tests::{found, nothing};
    use super::*;

    fn topic(recorded_for: &str, cluster_id: &str, topic_id: &str) -> EventTopic {
        let id = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "uid": "its-own" },
            "spec": { "topicName": "rentcar", "deletionPolicy": "Delete" },
            "status": { "topic": {
                "clusterId": id(cluster_id),
                "topicId": id(topic_id),
                "recordedFor": recorded_for,
            } },
        }))
        .unwrap()
    }

    fn why(release: Release) -> String {
        match release {
            Release::Keep(why) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_topic_is_deleted_when_it_is_the_recorded_one_and_nobody_else_names_it() {
        let mine = topic("its-own", "cluster", "topic");
        let there = found("cluster", "topic");
        assert_eq!(judge(&mine, &there, None), Release::Delete);
        let platform = Some("BookingPlatform default/rentcar".to_owned());
        assert_eq!(
            why(judge(&mine, &there, platform)),
            "BookingPlatform default/rentcar names it"
        );
    }

    #[test]
    fn a_restored_status_counts_for_nothing() {
        let restored = topic("its-former-self", "cluster", "topic");
        let said = why(judge(&restored, &found("cluster", "topic"), None));
        assert!(said.starts_with("it was never seen"), "{said}");
    }

    #[test]
    fn another_topic_of_that_name_is_kept() {
        let mine = topic("its-own", "cluster", "topic");
        let anew = why(judge(&mine, &found("cluster", "another"), None));
        assert!(anew.contains("made it anew"), "{anew}");
        let moved = why(judge(&mine, &found("elsewhere", "another"), None));
        assert!(moved.contains("another Kafka cluster"), "{moved}");
    }

    #[test]
    fn a_topic_without_an_id_is_kept() {
        let mine = topic("its-own", "cluster", "");
        let said = why(judge(&mine, &found("cluster", ""), None));
        assert!(said.contains("no ids"), "{said}");
    }

    #[test]
    fn a_topic_that_is_gone_needs_no_deletion() {
        let mine = topic("its-own", "cluster", "topic");
        assert_eq!(judge(&mine, &nothing("cluster"), None), Release::Nothing);
    }
}
