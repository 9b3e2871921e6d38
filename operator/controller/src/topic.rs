//! An EventTopic becomes a topic of Kafka, and stays as it is described.

mod apply;
mod conditions;
mod fetch;
mod finalizer;
mod plan;

use std::sync::Arc;

use innkeeper_crds::{EventTopic, EventTopicSpec, EventTopicStatus};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::runtime::reflector::Store;

use crate::context::Context;
use crate::error::Error;
use crate::kafka::{KafkaError, ObservedTopic};
use crate::status::{apply_status, fetch_present, what};
use crate::verdict::{self, State, Verdict};
use crate::{controllers, events};

/// How a topic came out of a reconciliation.
enum Outcome {
    /// It is as it should be.
    Settled(ObservedTopic),
    /// It was created or changed, and not every broker knows yet.
    Unseen,
    /// It cannot become so.
    Impossible(plan::Impossible),
    /// An older object describes the same topic.
    TakenBy(String),
    /// Nobody said where Kafka is.
    NoBrokers,
    /// A call of Kafka failed.
    Failed(KafkaError),
}

/// Brings a topic a step nearer to how it should be.
pub(crate) async fn reconcile(
    topic: Arc<EventTopic>,
    ctx: Arc<Context>,
    all: Store<EventTopic>,
) -> Result<Action, Error> {
    let Some(topic) = fetch_present(&ctx, topic.as_ref()).await? else {
        return Ok(Action::await_change());
    };
    let older = fetch::older_claim(&topic, &all.state(), &ctx.defaults);
    if topic.metadata.deletion_timestamp.is_some() {
        return finalizer::release(&ctx, &topic, older.is_some()).await;
    }
    finalizer::keep_in_step(&ctx, &topic).await?;
    let outcome = carry_out(&ctx, &topic, older).await;
    let verdict = conditions::verdict(&topic, &outcome);
    events::publish_change(&ctx, &topic, &verdict).await;
    apply_status(&ctx, &topic, &status(&ctx, &topic, &outcome, &verdict)).await?;
    Ok(Action::requeue(match verdict.state {
        State::Ready => ctx.topic_resync,
        State::Reconciling => controllers::SOON,
        State::Stalled => controllers::LATER,
    }))
}

async fn carry_out(ctx: &Context, topic: &EventTopic, older: Option<String>) -> Outcome {
    let Some(brokers) = fetch::bootstrap_servers(topic, &ctx.defaults) else {
        return Outcome::NoBrokers;
    };
    if let Some(older) = older {
        return Outcome::TakenBy(older);
    }
    settle(ctx, topic, brokers)
        .await
        .unwrap_or_else(|error| failed(topic, error))
}

fn failed(topic: &EventTopic, error: KafkaError) -> Outcome {
    tracing::warn!(object = what(topic), %error, cause = error.cause(), "could not look after a topic; trying again");
    Outcome::Failed(error)
}

async fn settle(ctx: &Context, topic: &EventTopic, brokers: &str) -> Result<Outcome, KafkaError> {
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics)?;
    let name = &topic.spec.topic_name;
    let observed = kafka.fetch(name).await?;
    let plan = match plan::plan(&topic.spec, observed.as_ref()) {
        Ok(plan) => plan,
        Err(impossible) => return Ok(Outcome::Impossible(impossible)),
    };
    apply::apply(&kafka, &topic.spec, &plan).await?;
    if plan.repairs_drift(topic) {
        ctx.metrics.repaired_drift();
        let note = format!("topic {name} had been changed by someone else and was put back");
        events::publish(ctx, topic, EventType::Warning, "DriftRepaired", &note).await;
    }
    let seen = if plan.is_nothing() {
        observed
    } else {
        kafka.fetch(name).await?
    };
    Ok(settled(&topic.spec, seen))
}

/// What has come of a topic: the broker that was asked may know less than the one that was told.
fn settled(spec: &EventTopicSpec, seen: Option<ObservedTopic>) -> Outcome {
    let is_settled =
        |it: &ObservedTopic| plan::plan(spec, Some(it)).is_ok_and(|it| it.is_nothing());
    seen.filter(is_settled)
        .map_or(Outcome::Unseen, Outcome::Settled)
}

fn status(
    ctx: &Context,
    topic: &EventTopic,
    outcome: &Outcome,
    verdict: &Verdict,
) -> EventTopicStatus {
    let before = topic.status.clone().unwrap_or_default();
    let observed = match outcome {
        Outcome::Settled(observed) => Some(observed),
        Outcome::Impossible(impossible) => Some(&impossible.observed),
        Outcome::Unseen | Outcome::TakenBy(_) | Outcome::NoBrokers | Outcome::Failed(_) => None,
    };
    EventTopicStatus {
        observed_generation: topic.metadata.generation.unwrap_or_default(),
        conditions: verdict::conditions(
            verdict,
            topic.metadata.generation,
            &before.conditions,
            (ctx.now)(),
        ),
        partitions: observed.map_or(before.partitions, |it| Some(it.partitions)),
        replication: observed.map_or(before.replication, |it| Some(it.replication)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_topic_is_settled_only_once_it_was_seen_as_it_should_be() {
        let spec = serde_json::from_value(json!({ "topicName": "rentcar", "partitions": 12 }));
        let spec: EventTopicSpec = spec.unwrap();
        let seen = |partitions| ObservedTopic {
            partitions,
            replication: 1,
            config: BTreeMap::new(),
        };
        assert!(matches!(
            settled(&spec, Some(seen(12))),
            Outcome::Settled(_)
        ));
        assert!(matches!(settled(&spec, Some(seen(6))), Outcome::Unseen));
        assert!(matches!(settled(&spec, None), Outcome::Unseen));
    }
}
