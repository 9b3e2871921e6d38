//! An EventTopic becomes a topic of Kafka, and stays as it is described.

mod apply;
mod claims;
mod conditions;
mod fetch;
mod finalizer;
mod history;
pub(crate) mod look;
mod owner;
mod plan;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use innkeeper_crds::event_topic::TopicRecord;
use innkeeper_crds::{BookingPlatform, EventTopic, EventTopicSpec, EventTopicStatus};
use jiff::SignedDuration;
use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use crate::context::Context;
use crate::error::Error;
use crate::kafka::{Found, KafkaError, ObservedTopic, Topics};
use crate::seen::{Seen, readable};
use crate::status::{Observed as _, apply_status, fetch_status, what};
use crate::verdict::{self, Reason, State, Verdict, holds, ready_condition};
use crate::{events, requeue};
use apply::Applied;
use claims::OlderClaim;
pub(crate) use claims::rivals;
use history::{Fate, fate};

/// When to look again whether a platform has told of its lost topic.
const TOLD_SOON: Duration = Duration::from_millis(250);
/// How long a lost topic waits for its platform to tell of it.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// How a topic came out of a reconciliation.
enum Outcome {
    /// It is as it should be, in the cluster with this id.
    Settled(Option<String>, ObservedTopic),
    /// It was created or changed, and not every broker knows yet.
    Unseen,
    /// Someone deleted it with its records; nothing was done yet.
    Lost(Fate),
    /// It cannot become so.
    Impossible(plan::Impossible),
    /// An older object describes the same topic, or one that Kafka takes for the same.
    TakenBy(OlderClaim),
    /// Kafka has a topic whose name it takes for the same.
    Collides(String),
    /// Nobody said where Kafka is.
    NoBrokers,
    /// It would have to go with an object in the operator's own namespace.
    OwnNamespace,
    /// It could not be deleted with its object, for this reason.
    NotDeleted(String),
    /// A call of Kafka failed.
    Failed(KafkaError),
}

/// Brings a topic a step nearer to how it should be.
pub(crate) async fn reconcile(
    topic: EventTopic,
    ctx: Arc<Context>,
    all: Seen<EventTopic>,
) -> Result<Action, Error> {
    if topic.metadata.deletion_timestamp.is_some() {
        return finalizer::release(&ctx, &topic).await;
    }
    finalizer::keep_in_step(&ctx, &topic).await?;
    let older = claims::older_claim(&topic, &readable(&all), &ctx.defaults);
    let outcome = carry_out(&ctx, &topic, older).await?;
    // Only what is as described is recorded, and only then it matters.
    let is_settled = matches!(outcome, Outcome::Settled(..));
    let owner_lives = is_settled && owner::lives(&ctx, &topic).await?;
    let state = tell(&ctx, &topic, &outcome, owner_lives).await?;
    Ok(Action::requeue(match (&outcome, state) {
        (Outcome::Lost(_), _) => TOLD_SOON,
        (_, State::Ready) => ctx.topic_resync,
        (_, State::Reconciling) => requeue::SOON,
        (_, State::Stalled) => requeue::LATER,
    }))
}

/// Says how a topic stands, in an event and in its object's status.
async fn tell(
    ctx: &Context,
    topic: &EventTopic,
    outcome: &Outcome,
    owner_lives: bool,
) -> Result<State, Error> {
    let brokers = fetch::bootstrap_servers(topic, &ctx.defaults).unwrap_or_default();
    let verdict = conditions::verdict(topic, outcome, brokers);
    events::publish_change(ctx, topic, &verdict).await;
    let status = status(ctx, topic, outcome, &verdict, owner_lives);
    apply_status(ctx, topic, &status).await?;
    Ok(verdict.state)
}

async fn carry_out(
    ctx: &Context,
    topic: &EventTopic,
    older: Option<OlderClaim>,
) -> Result<Outcome, Error> {
    let Some(brokers) = fetch::bootstrap_servers(topic, &ctx.defaults) else {
        return Ok(Outcome::NoBrokers);
    };
    if finalizer::deletes(topic) && ctx.is_own_namespace(topic) {
        return Ok(Outcome::OwnNamespace);
    }
    if let Some(older) = older {
        return Ok(Outcome::TakenBy(older));
    }
    let found = async {
        let kafka = ctx.brokers.topics(brokers, &ctx.metrics)?;
        let found = kafka.fetch(&topic.spec.topic_name).await?;
        Ok((kafka, found))
    };
    let (kafka, found) = match found.await {
        Ok(found) => found,
        Err(error) => return Ok(Outcome::Failed(error)),
    };
    let fate = fate(topic.recorded_topic(), &found);
    if fate.is_loss() && !is_told(ctx, topic).await? {
        return Ok(lost(topic, fate));
    }
    let settled = settle(ctx, topic, &kafka, found, fate).await;
    Ok(settled.unwrap_or_else(Outcome::Failed))
}

fn lost(topic: &EventTopic, fate: Fate) -> Outcome {
    if !conditions::is_lost(topic) {
        let topic_name = &topic.spec.topic_name;
        tracing::warn!(
            object = what(topic),
            topic_name,
            ?fate,
            "someone deleted a topic with all its records"
        );
    }
    Outcome::Lost(fate)
}

/// Whether the loss of a topic stands in its status and, unless that takes too long, in its platform's: what is made anew
/// at once would look as if nothing had happened.
async fn is_told(ctx: &Context, topic: &EventTopic) -> Result<bool, Error> {
    if !conditions::is_lost(topic) {
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

async fn settle(
    ctx: &Context,
    topic: &EventTopic,
    kafka: &Topics<'_>,
    found: Found,
    fate: Fate,
) -> Result<Outcome, KafkaError> {
    let (spec, name) = (&topic.spec, &topic.spec.topic_name);
    let was_written = fetch::was_written(kafka, spec, &found).await?;
    let plan = match plan::plan(spec, found.topic.as_ref(), was_written) {
        Ok(plan) => plan,
        Err(impossible) => return Ok(Outcome::Impossible(impossible)),
    };
    if plan == plan::Plan::Create
        && let Some(other) = fetch::colliding(kafka, name).await?
    {
        return Ok(Outcome::Collides(other));
    }
    if apply::apply(kafka, spec, &plan).await? == Applied::Done {
        if plan.repairs_drift(topic) {
            ctx.metrics.repaired_drift();
        }
        if let Some(done) = trace::of_plan(topic, &plan, fate) {
            trace::publish(ctx, topic, &done).await;
        }
    }
    let seen = if plan.is_nothing() {
        found
    } else {
        kafka.fetch(name).await?
    };
    let outcome = settled(spec, seen);
    if let (Outcome::Settled(..), Some(news)) = (&outcome, trace::of_fate(topic, fate)) {
        trace::publish(ctx, topic, &news).await;
    }
    Ok(outcome)
}

/// What has come of a topic: the broker that was asked may know less than the one that was told.
fn settled(spec: &EventTopicSpec, seen: Found) -> Outcome {
    let is_settled =
        |it: &ObservedTopic| plan::plan(spec, Some(it), true).is_ok_and(|it| it.is_nothing());
    let topic = seen.topic.filter(is_settled);
    topic.map_or(Outcome::Unseen, |topic| {
        Outcome::Settled(seen.cluster_id, topic)
    })
}

fn status(
    ctx: &Context,
    topic: &EventTopic,
    outcome: &Outcome,
    verdict: &Verdict,
    owner_lives: bool,
) -> EventTopicStatus {
    let before = topic.status.clone().unwrap_or_default();
    // A loss begins now, also where the topic was not ready before: its platform is waited for from now on.
    let is_lost_now = verdict.reason == Reason::TopicLost && !conditions::is_lost(topic);
    let conditions_before = if is_lost_now {
        &[][..]
    } else {
        &before.conditions
    };
    let observed = match outcome {
        Outcome::Settled(_, observed) => Some(observed),
        Outcome::Impossible(impossible) => Some(&impossible.observed),
        _ => None,
    };
    EventTopicStatus {
        observed_generation: topic.metadata.generation.unwrap_or_default(),
        conditions: verdict::conditions(
            verdict,
            topic.metadata.generation,
            conditions_before,
            (ctx.now)(),
        ),
        partitions: observed.map_or(before.partitions, |it| Some(it.partitions)),
        replication: observed.map_or(before.replication, |it| Some(it.replication)),
        topic: record(topic, outcome, owner_lives),
    }
}

/// What is recorded of a topic: the one that is as described, while the object's owner lives.
fn record(topic: &EventTopic, outcome: &Outcome, owner_lives: bool) -> Option<TopicRecord> {
    match outcome {
        Outcome::Settled(cluster_id, observed) if owner_lives => Some(TopicRecord {
            cluster_id: cluster_id.clone(),
            topic_id: observed.id.clone(),
            recorded_for: topic.uid().unwrap_or_default(),
        }),
        _ => topic.recorded_topic().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(status: &serde_json::Value) -> EventTopic {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": { "name": "rentcar", "uid": "its-own" },
            "spec": { "topicName": "rentcar", "partitions": 12 },
            "status": status,
        }))
        .unwrap()
    }

    fn seen(partitions: u32) -> Found {
        Found {
            cluster_id: Some("cluster".to_owned()),
            topic: Some(ObservedTopic {
                id: Some("topic".to_owned()),
                partitions,
                replication: 1,
                ..ObservedTopic::default()
            }),
        }
    }

    #[test]
    fn a_topic_is_settled_only_once_it_was_seen_as_it_should_be() {
        let spec = described(&json!({})).spec;
        let is_settled = |found| matches!(settled(&spec, found), Outcome::Settled(..));
        assert!(is_settled(seen(12)));
        assert!(!is_settled(seen(6)));
        assert!(!is_settled(Found::default()));
    }

    #[test]
    fn a_topic_is_recorded_while_the_owner_of_its_object_lives() {
        let new = described(&json!({}));
        let outcome = settled(&new.spec, seen(12));
        assert_eq!(record(&new, &outcome, false), None);
        let recorded = record(&new, &outcome, true).unwrap();
        assert_eq!(recorded.topic_id.as_deref(), Some("topic"));
        assert_eq!(recorded.cluster_id.as_deref(), Some("cluster"));
        assert_eq!(recorded.recorded_for, "its-own");
    }

    #[test]
    fn a_record_outlives_its_owner_but_not_its_object() {
        let record_for = |uid: &str| json!({ "topic": { "topicId": "topic", "recordedFor": uid } });
        let of = |uid| record(&described(&record_for(uid)), &Outcome::Unseen, false);
        assert!(of("its-own").is_some());
        assert_eq!(of("its-former-self"), None);
    }
}
