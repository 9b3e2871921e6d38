//! Watches topics between the reconciliations of their objects. One call per Kafka cluster, for all
//! of its topics, finds what somebody has deleted or changed there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use innkeeper_crds::EventTopic;
use innkeeper_kafka::TopicDescription;
use innkeeper_plan::topic::{TopicLookup, bootstrap_servers, is_different};
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cache::{Cache, readable};
use crate::context::Context;
use crate::kafka::observed;

/// How often to ask each cluster.
const EVERY: Duration = Duration::from_secs(10);

/// Wakes the reconciliation of every object whose topic differs from its status, until it is told
/// to stop.
pub(crate) async fn watch(
    ctx: Arc<Context>,
    topics: Cache<EventTopic>,
    wake: mpsc::UnboundedSender<ObjectRef<DeserializeGuard<EventTopic>>>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let clusters = by_brokers(&ctx, &readable(&topics));
        let drifted = clusters
            .iter()
            .map(|(brokers, topics)| fetch_drifted(&ctx, brokers, topics));
        let Some(found) = stop.run_until_cancelled(join_all(drifted)).await else {
            return;
        };
        for topic in found.into_iter().flatten() {
            // If the controller has ended, there is nothing left to wake.
            let object = ObjectRef::new(&topic.name_any());
            let _ = wake.send(object.within(&topic.namespace().unwrap_or_default()));
        }
    }
}

/// The objects whose topic has been observed, by the topic's brokers.
fn by_brokers(ctx: &Context, topics: &[Arc<EventTopic>]) -> BTreeMap<String, Vec<Arc<EventTopic>>> {
    let mut clusters: BTreeMap<String, Vec<Arc<EventTopic>>> = BTreeMap::new();
    for topic in topics {
        let stays = topic.metadata.deletion_timestamp.is_none();
        let was_seen = topic
            .status
            .as_ref()
            .is_some_and(|it| it.partitions.is_some());
        if let Some(brokers) = bootstrap_servers(topic, &ctx.defaults)
            && stays
            && was_seen
        {
            let cluster = clusters.entry(brokers.to_owned()).or_default();
            cluster.push(Arc::clone(topic));
        }
    }
    clusters
}

/// The objects whose topic differs from their status. Brokers that do not answer are ignored,
/// because the reconciliation of each object reports them.
async fn fetch_drifted(
    ctx: &Context,
    brokers: &str,
    topics: &[Arc<EventTopic>],
) -> Vec<Arc<EventTopic>> {
    let mut names: Vec<String> = topics.iter().map(|it| it.spec.topic_name.clone()).collect();
    names.sort();
    names.dedup();
    let answer = match ctx.brokers.topics(brokers, &ctx.metrics) {
        Ok(kafka) => kafka.describe(names.clone()).await,
        Err(error) => Err(error),
    };
    let description = match answer {
        Ok(description) => description,
        Err(error) => {
            tracing::debug!(brokers, %error, "could not look at topics");
            return Vec::new();
        }
    };
    let answers: BTreeMap<_, _> = names.iter().zip(&description.topics).collect();
    let differs = |topic: &&Arc<EventTopic>| match answers.get(&topic.spec.topic_name) {
        Some(Ok(described)) => {
            let found = found(description.cluster_id.clone(), described.as_ref());
            is_different(topic, &found)
        }
        Some(Err(_)) | None => false,
    };
    topics.iter().filter(differs).cloned().collect()
}

fn found(cluster_id: Option<String>, described: Option<&TopicDescription>) -> TopicLookup {
    let topic = described.map(|it| observed(it.clone(), BTreeMap::new()));
    TopicLookup { cluster_id, topic }
}
