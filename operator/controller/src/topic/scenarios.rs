//! Reconciliations of a topic on an API server in memory, while its Kafka is away.

use axum::http::StatusCode;
use innkeeper_plan::fixtures::event_topic;
use innkeeper_plan::names::TOPIC_FINALIZER;
use kube::core::DeserializeGuard;
use kube::runtime::{reflector, watcher};
use serde_json::{Value, json};

use super::*;
use crate::error::Class;
use crate::fake_api_server::{FakeApiServer, NAMESPACE};
use crate::kafka::Brokers;

const TOPIC: &str = "eventtopics/rentcar";
/// Nobody listens on port 1.
const BROKERS: &str = "127.0.0.1:1";
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A cluster with the EventTopic `rentcar`.
struct Cluster {
    server: FakeApiServer,
    ctx: Context,
    /// The other objects that the cache holds.
    others: Vec<EventTopic>,
}

impl Cluster {
    /// A cluster whose object has these further fields in its spec.
    fn with(spec: &Value) -> Self {
        let server = FakeApiServer::default();
        server.create(&named("rentcar"));
        let mut ctx = Context::of(server.client());
        ctx.brokers = Brokers::answering_within(Duration::from_millis(100), Vec::new());
        let cluster = Self {
            server,
            ctx,
            others: Vec::new(),
        };
        cluster.edit_spec(spec);
        cluster
    }

    fn edit_spec(&self, fields: &Value) {
        let patch = json!({ "spec": fields });
        self.server
            .edit("kubectl-edit", TOPIC, |it| json_patch::merge(it, &patch));
    }

    async fn reconcile(self) -> (FakeApiServer, Result<Action, Error>) {
        let topic = self.server.read(TOPIC);
        self.reconcile_version(topic).await
    }

    async fn reconcile_version(self, topic: EventTopic) -> (FakeApiServer, Result<Action, Error>) {
        let (cache, mut writer) = reflector::store();
        for other in self.others {
            writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(other))));
        }
        let outcome = reconcile(topic, Arc::new(self.ctx), cache).await;
        (self.server, outcome)
    }
}

fn named(name: &str) -> EventTopic {
    let mut topic = event_topic(name, CREATED, "shop.rentcar", BROKERS);
    topic.metadata.namespace = Some(NAMESPACE.to_owned());
    topic
}

fn deleted_with_topic() -> Cluster {
    let cluster = Cluster::with(&json!({ "deletionPolicy": "Delete" }));
    cluster.server.edit("innkeeper", TOPIC, |it| {
        it["metadata"]["finalizers"] = json!([TOPIC_FINALIZER]);
    });
    cluster.server.delete(TOPIC);
    cluster
}

fn finalizers(server: &FakeApiServer) -> Value {
    server.object(TOPIC)["metadata"]["finalizers"].clone()
}

#[tokio::test]
async fn a_topic_whose_kafka_is_away_waits_and_says_so() {
    let (server, next) = Cluster::with(&json!({})).reconcile().await;
    assert_eq!(next.unwrap(), Action::requeue(requeue::SOON));
    let verdict = server.verdict(TOPIC);
    let away = "Reconciling, KafkaUnreachable: no broker at 127.0.0.1:1 answers (";
    assert!(verdict.starts_with(away), "{verdict}");
    assert!(verdict.ends_with("; trying again"), "{verdict}");
    let status = &server.object(TOPIC)["status"];
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(status["topic"], Value::Null);
    assert_eq!(
        server.take_writes(),
        ["POST events", "PATCH eventtopics/rentcar/status"]
    );
}

#[tokio::test]
async fn a_topic_without_brokers_says_where_to_name_them() {
    let mut cluster = Cluster::with(&json!({ "bootstrapServers": null }));
    cluster.ctx.defaults.bootstrap_servers = None;
    let (server, next) = cluster.reconcile().await;
    assert_eq!(next.unwrap(), Action::requeue(requeue::LATER));
    let verdict = server.verdict(TOPIC);
    assert!(
        verdict.starts_with("Stalled, Invalid: no Kafka is configured"),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_topic_that_an_older_object_describes_is_left_to_that() {
    let mut cluster = Cluster::with(&json!({}));
    cluster.others.push(named("cars"));
    let (server, next) = cluster.reconcile().await;
    assert_eq!(next.unwrap(), Action::requeue(requeue::LATER));
    let verdict = server.verdict(TOPIC);
    let taken = "Stalled, NameTaken: EventTopic shop/cars describes topic shop.rentcar already";
    assert!(verdict.starts_with(taken), "{verdict}");
}

#[tokio::test]
async fn an_object_that_deletes_its_topic_is_held_and_another_is_not() {
    let (server, _) = Cluster::with(&json!({ "deletionPolicy": "Delete" }))
        .reconcile()
        .await;
    assert_eq!(finalizers(&server), json!([TOPIC_FINALIZER]));

    let released = Cluster::with(&json!({}));
    released.server.edit("innkeeper", TOPIC, |it| {
        it["metadata"]["finalizers"] = json!(["theirs", TOPIC_FINALIZER]);
    });
    let (server, _) = released.reconcile().await;
    assert_eq!(finalizers(&server), json!(["theirs"]));
}

#[tokio::test]
async fn an_object_that_somebody_changed_meanwhile_is_tried_again() {
    let cluster = Cluster::with(&json!({ "deletionPolicy": "Delete" }));
    let seen = cluster.server.read(TOPIC);
    cluster.edit_spec(&json!({ "partitions": 3 }));
    let (server, outcome) = cluster.reconcile_version(seen).await;
    assert_eq!(outcome.unwrap_err().class(), Class::Conflict);
    assert_eq!(finalizers(&server), Value::Null);
    assert_eq!(server.object(TOPIC)["status"], Value::Null);
}

#[tokio::test]
async fn an_object_is_held_while_its_topic_cannot_be_deleted_and_says_how_to_release_it() {
    let (server, next) = deleted_with_topic().reconcile().await;
    assert_eq!(next.unwrap(), Action::requeue(requeue::SOON));
    assert_eq!(finalizers(&server), json!([TOPIC_FINALIZER]));
    let verdict = server.verdict(TOPIC);
    let held = "Reconciling, DeletionFailed: topic shop.rentcar cannot be deleted: no broker";
    assert!(verdict.starts_with(held), "{verdict}");
    assert!(
        verdict.contains("kubectl patch eventtopic rentcar --namespace shop"),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_deleted_object_without_kafka_is_released_and_its_topic_kept() {
    let mut cluster = deleted_with_topic();
    cluster.ctx.defaults.bootstrap_servers = None;
    cluster.edit_spec(&json!({ "bootstrapServers": null }));
    let (server, next) = cluster.reconcile().await;
    assert_eq!(next.unwrap(), Action::await_change());
    assert_eq!(server.object(TOPIC), Value::Null);
    let events = server.events();
    assert!(events[0].contains("no Kafka is configured"), "{events:?}");
}

#[tokio::test]
async fn a_deleted_object_that_nothing_holds_is_left_alone() {
    let cluster = Cluster::with(&json!({}));
    let mut deleted: EventTopic = cluster.server.read(TOPIC);
    deleted.metadata.deletion_timestamp = deleted.metadata.creation_timestamp.clone();
    let (server, next) = cluster.reconcile_version(deleted).await;
    assert_eq!(next.unwrap(), Action::await_change());
    assert_eq!(server.take_requests(), Vec::<String>::new());
}

#[tokio::test]
async fn an_object_in_the_operators_own_namespace_cannot_ask_for_deletion() {
    let mut cluster = Cluster::with(&json!({ "deletionPolicy": "Delete" }));
    cluster.ctx.own_namespace = Some(NAMESPACE.to_owned());
    let (server, _) = cluster.reconcile().await;
    assert_eq!(finalizers(&server), Value::Null);
    let verdict = server.verdict(TOPIC);
    assert!(
        verdict.starts_with("Stalled, Invalid: deletionPolicy"),
        "{verdict}"
    );
}

#[tokio::test]
async fn an_api_server_that_fails_leaves_no_status() {
    let cluster = Cluster::with(&json!({ "deletionPolicy": "Delete" }));
    let code = StatusCode::INTERNAL_SERVER_ERROR;
    cluster.server.fail("PATCH eventtopics", code);
    let (server, outcome) = cluster.reconcile().await;
    assert_eq!(outcome.unwrap_err().class(), Class::Outage);
    assert_eq!(server.object(TOPIC)["status"], Value::Null);
}
