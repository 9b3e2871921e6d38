//! Reconciliations of a platform on an API server in memory.

use axum::http::StatusCode;
use innkeeper_plan::verdict::{self, Reason, Verdict};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::error::Class;
use crate::fake_api_server::{FakeApiServer, NAMESPACE};

const PLATFORM: &str = "bookingplatforms/rentcar";
const TOPIC: &str = "eventtopics/rentcar";

/// A cluster with the platform `rentcar`, whose services are `gateway` and `order`.
struct Cluster {
    server: FakeApiServer,
    ctx: Arc<Context>,
}

impl Cluster {
    fn new() -> Self {
        let server = FakeApiServer::default();
        let order = json!({
            "name": "order",
            "path": "/orders",
            "booking": { "fields": { "item": "sauceId", "amount": "price" } },
        });
        let gateway = json!({ "name": "gateway", "gateway": {} });
        let platform: BookingPlatform = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": { "name": "rentcar", "namespace": NAMESPACE },
            "spec": { "currency": "KRW", "services": [gateway, order] },
        }))
        .expect("the platform is complete");
        server.create(&platform);
        let ctx = Arc::new(Context::of(server.client()));
        Self { server, ctx }
    }

    /// A cluster whose platform is ready.
    async fn settled() -> Self {
        let cluster = Self::new();
        cluster.reconcile().await.expect("the topic is applied");
        cluster.make_ready(TOPIC);
        cluster.reconcile().await.expect("the services are applied");
        for service in ["domainservices/gateway", "domainservices/order"] {
            cluster.make_ready(service);
        }
        cluster.reconcile().await.expect("the platform is ready");
        cluster.server.take_requests();
        cluster
    }

    async fn reconcile(&self) -> Result<Action, Error> {
        reconcile(self.server.read(PLATFORM), Arc::clone(&self.ctx)).await
    }

    /// Does what the controller of a child does.
    fn make_ready(&self, path: &str) {
        self.server.edit("controller", path, |child| {
            let generation = child["metadata"]["generation"].as_i64();
            let ready = Verdict::ready(Reason::Ready, "ready");
            let conditions = verdict::conditions(&ready, generation, &[], Timestamp::UNIX_EPOCH);
            child["status"] = json!({ "observedGeneration": generation, "conditions": conditions });
        });
    }

    fn edit_spec(&self, change: impl FnOnce(&mut Value)) {
        self.server
            .edit("kubectl-edit", PLATFORM, |it| change(&mut it["spec"]));
    }
}

#[tokio::test]
async fn a_new_platform_gets_its_services_once_its_topic_is_ready() {
    let cluster = Cluster::new();
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("eventtopics"), ["rentcar"]);
    assert!(cluster.server.names("domainservices").is_empty());
    let waiting = cluster.server.verdict(PLATFORM);
    assert!(
        waiting.starts_with("Reconciling, WaitingForTopic: gateway, order wait"),
        "{waiting}"
    );

    cluster.make_ready(TOPIC);
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("domainservices"), ["gateway", "order"]);
    let status = &cluster.server.object(PLATFORM)["status"];
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(status["image"], "innkeeper:1");
    assert_eq!(status["services"], 2);
}

#[tokio::test]
async fn a_platform_that_is_as_described_is_read_once_and_not_written() {
    let cluster = Cluster::settled().await;
    assert!(
        cluster
            .server
            .verdict(PLATFORM)
            .starts_with("Ready, Ready: 2 of 2")
    );
    let next = cluster.reconcile().await.unwrap();
    assert_eq!(next, Action::requeue(requeue::ONCE_IN_A_WHILE));
    let mut requests = cluster.server.take_requests();
    requests.sort();
    assert_eq!(requests, ["GET domainservices", "GET eventtopics"]);
}

#[tokio::test]
async fn a_child_that_somebody_changed_is_put_back() {
    let cluster = Cluster::settled().await;
    cluster
        .server
        .edit("kubectl-edit", "domainservices/order", |order| {
            order["spec"]["image"] = json!("theirs:1");
        });
    cluster.reconcile().await.unwrap();
    let order = cluster.server.object("domainservices/order");
    assert_eq!(order["spec"]["image"], "innkeeper:1");
    let events = cluster.server.events();
    let told =
        |it: &String| it.starts_with("PutBack: DomainService order") && it.contains("kubectl-edit");
    assert!(events.iter().any(told), "{events:?}");
}

#[tokio::test]
async fn a_child_that_somebody_deleted_comes_back() {
    let cluster = Cluster::settled().await;
    cluster.server.delete("domainservices/order");
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("domainservices"), ["gateway", "order"]);
}

#[tokio::test]
async fn an_object_with_a_childs_name_that_belongs_to_somebody_else_is_left_alone() {
    let cluster = Cluster::new();
    let theirs = innkeeper_plan::fixtures::service("order", &json!({}));
    cluster.server.create(&theirs);
    let before = cluster.server.object("domainservices/order");
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PLATFORM);
    assert!(
        verdict.starts_with("Stalled, NameTaken: DomainService order belongs"),
        "{verdict}"
    );
    assert_eq!(cluster.server.object("domainservices/order"), before);
    assert!(cluster.server.names("eventtopics").is_empty());
}

#[tokio::test]
async fn an_api_server_that_fails_leaves_the_status_as_it_was() {
    let cluster = Cluster::settled().await;
    let before = cluster.server.object(PLATFORM)["status"].clone();
    cluster.edit_spec(|spec| spec["image"] = json!("innkeeper:2"));
    for code in [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::GATEWAY_TIMEOUT,
    ] {
        cluster.server.fail("PATCH domainservices", code);
        let error = cluster.reconcile().await.unwrap_err();
        assert_eq!(error.class(), Class::Outage);
        assert_eq!(error.to_string(), "could not apply DomainService gateway");
        let status = cluster.server.object(PLATFORM)["status"].clone();
        assert_eq!(status["conditions"], before["conditions"]);
        cluster.server.recover();
    }
    cluster.reconcile().await.unwrap();
    let order = cluster.server.object("domainservices/order");
    assert_eq!(order["spec"]["image"], "innkeeper:2");
}

#[tokio::test]
async fn an_error_about_a_list_that_is_forbidden_names_the_list() {
    let cluster = Cluster::new();
    cluster
        .server
        .fail("GET domainservices", StatusCode::FORBIDDEN);
    let error = cluster.reconcile().await.unwrap_err();
    assert_eq!(error.class(), Class::Refused);
    assert_eq!(
        error.to_string(),
        "could not read every DomainService of rentcar"
    );
    assert!(cluster.server.names("eventtopics").is_empty());
}

#[tokio::test]
async fn a_service_that_is_not_asked_for_any_more_is_deleted_last() {
    let cluster = Cluster::settled().await;
    cluster.edit_spec(|spec| {
        spec["image"] = json!("innkeeper:2");
        spec["services"].as_array_mut().unwrap().pop();
    });
    cluster.reconcile().await.unwrap();
    assert_eq!(
        cluster.server.take_writes(),
        [
            "PATCH bookingplatforms/rentcar/status",
            "PATCH domainservices/gateway",
            "DELETE domainservices/order",
            "POST events",
            "PATCH bookingplatforms/rentcar/status",
        ]
    );
}

#[tokio::test]
async fn nothing_is_deleted_while_a_child_is_refused() {
    let cluster = Cluster::settled().await;
    cluster.edit_spec(|spec| {
        spec["image"] = json!("innkeeper:2");
        spec["services"].as_array_mut().unwrap().pop();
    });
    cluster
        .server
        .fail("PATCH domainservices", StatusCode::FORBIDDEN);
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PLATFORM);
    assert!(
        verdict.starts_with("Stalled, Refused: DomainService gateway is refused"),
        "{verdict}"
    );
    assert_eq!(cluster.server.names("domainservices"), ["gateway", "order"]);
}

#[tokio::test]
async fn an_invalid_platform_stalls_with_its_message_and_keeps_its_children() {
    let cluster = Cluster::settled().await;
    cluster.edit_spec(|spec| spec["services"][1]["calls"] = json!([{ "service": "nobody" }]));
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PLATFORM);
    assert!(
        verdict.starts_with("Stalled, Invalid: ") && verdict.contains("nobody"),
        "{verdict}"
    );
    assert_eq!(
        cluster.server.object(PLATFORM)["status"]["observedGeneration"],
        2
    );
    assert_eq!(cluster.server.names("domainservices"), ["gateway", "order"]);
    assert_eq!(cluster.server.names("eventtopics"), ["rentcar"]);
}

#[tokio::test]
async fn a_newer_operator_does_not_restart_the_services_of_a_platform() {
    let mut cluster = Cluster::settled().await;
    let mut newer = Context::of(cluster.server.client());
    newer.defaults.image = "innkeeper:2".to_owned();
    cluster.ctx = Arc::new(newer);
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.take_writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_platform_whose_topics_object_is_deleted_keeps_the_name_of_its_topic() {
    let cluster = Cluster::new();
    let status = json!({ "topic": "of-an-earlier-release" });
    cluster
        .server
        .edit("innkeeper", PLATFORM, |it| it["status"] = status);
    cluster.reconcile().await.unwrap();
    let topic = cluster.server.object(TOPIC);
    assert_eq!(topic["spec"]["topicName"], "of-an-earlier-release");
}
