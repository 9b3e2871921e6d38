//! Reconciliations of a platform on an API server in memory.

use std::time::Duration;

use axum::http::StatusCode;
use innkeeper_plan::verdict::{self, Reason, Verdict};
use jiff::Timestamp;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::store::Writer;
use kube::runtime::{reflector, watcher};
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
    /// All platforms, as their watch last saw them.
    platforms: Cache<BookingPlatform>,
    watch: Writer<DeserializeGuard<BookingPlatform>>,
}

fn platform(name: &str, services: [&str; 2]) -> BookingPlatform {
    let gateway = json!({ "name": services[0], "gateway": {} });
    let order = json!({
        "name": services[1],
        "path": "/orders",
        "booking": { "fields": { "item": "sauceId", "amount": "price" } },
    });
    serde_json::from_value(json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "BookingPlatform",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "currency": "KRW", "services": [gateway, order] },
    }))
    .expect("the platform is complete")
}

impl Cluster {
    fn new() -> Self {
        let server = FakeApiServer::default();
        server.create(&platform("rentcar", ["gateway", "order"]));
        let ctx = Arc::new(Context::of(server.client()));
        let (platforms, watch) = reflector::store();
        Self {
            server,
            ctx,
            platforms,
            watch,
        }
    }

    /// A cluster whose platform is ready.
    async fn settled() -> Self {
        let cluster = Self::new();
        cluster.reconcile().await.expect("the topic is applied");
        cluster.make_ready(TOPIC);
        cluster.reconcile().await.expect("the services are applied");
        cluster.make_children_ready();
        cluster.reconcile().await.expect("the platform is ready");
        cluster.server.take_requests();
        cluster
    }

    async fn reconcile(&self) -> Result<Action, Error> {
        self.reconcile_platform("rentcar").await
    }

    async fn reconcile_platform(&self, name: &str) -> Result<Action, Error> {
        let platform = self.server.read(&format!("bookingplatforms/{name}"));
        reconcile(platform, Arc::clone(&self.ctx), self.platforms.clone()).await
    }

    /// Shows the watch of platforms what is there.
    fn watch_platforms(&mut self) {
        for name in self.server.names("bookingplatforms") {
            let platform = self.server.read(&format!("bookingplatforms/{name}"));
            let seen = watcher::Event::Apply(DeserializeGuard(Ok(platform)));
            self.watch.apply_watcher_event(&seen);
        }
    }

    /// Starts an operator with another address of Kafka.
    fn restart_with(&mut self, bootstrap_servers: &str) {
        let mut ctx = Context::of(self.server.client());
        ctx.defaults.bootstrap_servers = Some(bootstrap_servers.to_owned());
        self.ctx = Arc::new(ctx);
        self.watch_platforms();
    }

    /// The address of Kafka that a service has.
    fn brokers(&self, service: &str) -> String {
        let service = self.server.object(&format!("domainservices/{service}"));
        let brokers = &service["spec"]["settings"]["log"]["kafka"]["bootstrapServers"];
        brokers.as_str().unwrap_or_default().to_owned()
    }

    fn make_children_ready(&self) {
        for kind in ["eventtopics", "domainservices"] {
            for name in self.server.names(kind) {
                self.make_ready(&format!("{kind}/{name}"));
            }
        }
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

/// A cluster with the platforms `rentcar` and `resort`, which are ready.
async fn two_platforms() -> Cluster {
    let mut cluster = Cluster::settled().await;
    cluster
        .server
        .create(&platform("resort", ["entry", "stay"]));
    cluster.reconcile_platform("resort").await.unwrap();
    cluster.make_ready("eventtopics/resort");
    cluster.reconcile_platform("resort").await.unwrap();
    cluster.make_children_ready();
    cluster.reconcile_platform("resort").await.unwrap();
    cluster.watch_platforms();
    cluster
}

const RESORT: &str = "bookingplatforms/resort";
const BEFORE: &str = "kafka.messaging:9092";

#[tokio::test]
async fn new_defaults_reach_the_next_platform_when_the_one_before_is_ready() {
    let mut cluster = two_platforms().await;
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    let next = cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(next, Action::requeue(requeue::LATER));
    let brokers = |cluster: &Cluster| ["order", "stay"].map(|it| cluster.brokers(it));
    assert_eq!(brokers(&cluster), ["kafka.new:9092", BEFORE]);
    let waiting = cluster.server.verdict(RESORT);
    assert!(
        waiting.starts_with("Ready, Ready: 2 of 2") && waiting.contains("New defaults"),
        "{waiting}"
    );

    cluster.make_children_ready();
    cluster.reconcile().await.unwrap();
    cluster.watch_platforms();
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(brokers(&cluster), ["kafka.new:9092"; 2]);
}

#[tokio::test]
async fn a_platform_that_waits_for_new_defaults_is_kept_as_described() {
    let mut cluster = two_platforms().await;
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.server.delete("domainservices/stay");
    cluster.server.edit("kubectl-edit", RESORT, |it| {
        it["spec"]["services"][1]["replicas"] = json!(3);
    });
    cluster.reconcile_platform("resort").await.unwrap();
    let stay = cluster.server.object("domainservices/stay");
    assert_eq!(stay["spec"]["replicas"], 3);
    assert_eq!(cluster.brokers("stay"), BEFORE);
}

#[tokio::test]
async fn wrong_defaults_stop_at_one_platform_also_for_the_next_operator_and_right_ones_go_on() {
    let mut cluster = two_platforms().await;
    cluster.restart_with("kafka.wrong:9092");
    cluster.reconcile().await.unwrap();
    cluster.restart_with("kafka.wrong:9092");
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), BEFORE);

    cluster.restart_with("kafka.new:9092");
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), BEFORE);
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.brokers("order"), "kafka.new:9092");
}

#[tokio::test]
async fn a_platform_that_was_not_ready_keeps_others_waiting_for_two_minutes() {
    let mut cluster = two_platforms().await;
    cluster
        .server
        .edit("kubelet", "domainservices/order", |it| {
            it["status"] = json!({ "observedGeneration": 0 });
        });
    cluster.reconcile().await.unwrap();
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), BEFORE);
    let ctx = Arc::get_mut(&mut cluster.ctx).unwrap();
    ctx.now = || Timestamp::UNIX_EPOCH + Duration::from_mins(2);
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), "kafka.new:9092");
}

#[tokio::test]
async fn defaults_that_a_platform_does_not_use_are_not_waited_for() {
    let mut cluster = two_platforms().await;
    cluster.server.edit("kubectl-edit", RESORT, |it| {
        it["spec"]["messaging"] = json!({ "bootstrapServers": "kafka.own:9092" });
    });
    cluster.reconcile_platform("resort").await.unwrap();
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.make_children_ready();
    let next = cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(next, Action::requeue(requeue::ONCE_IN_A_WHILE));
    let status = &cluster.server.object(RESORT)["status"];
    assert_eq!(status["defaults"]["bootstrapServers"], "kafka.new:9092");
}

#[tokio::test]
async fn defaults_that_do_not_suit_a_platform_change_nothing_and_the_next_ones_wait_their_turn() {
    let mut cluster = two_platforms().await;
    let mut ctx = Context::of(cluster.server.client());
    ctx.defaults.bootstrap_servers = None;
    cluster.ctx = Arc::new(ctx);
    for name in ["rentcar", "resort"] {
        cluster.reconcile_platform(name).await.unwrap();
    }
    let said = cluster.server.verdict(RESORT);
    let words = "keeps those that it has: spec.messaging.bootstrapServers: no Kafka is configured";
    assert!(
        said.starts_with("Ready, Ready") && said.contains(words),
        "{said}"
    );
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("order"), "kafka.new:9092");
    assert_eq!(cluster.brokers("stay"), BEFORE);
}

#[tokio::test]
async fn a_platform_that_is_invalid_does_not_take_new_defaults_on_the_side() {
    let mut cluster = two_platforms().await;
    let rename = |cluster: &Cluster, name: &str| {
        cluster.server.edit("kubectl-edit", RESORT, |it| {
            it["spec"]["services"][0]["name"] = json!(name);
        });
    };
    rename(&cluster, "stay");
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.reconcile_platform("resort").await.unwrap();
    assert!(
        cluster
            .server
            .verdict(RESORT)
            .starts_with("Stalled, Invalid")
    );
    rename(&cluster, "entry");
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), BEFORE);
}

#[tokio::test]
async fn a_platform_whose_status_is_lost_has_the_defaults_that_its_services_show() {
    let mut cluster = two_platforms().await;
    cluster.server.edit("restore", RESORT, |it| {
        it["status"] = Value::Null;
    });
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("stay"), BEFORE);
    let defaults = &cluster.server.object(RESORT)["status"]["defaults"];
    assert_eq!(defaults["bootstrapServers"], BEFORE);
    assert_eq!(
        defaults["database"]["secretRef"]["name"],
        "innkeeper-database"
    );
}

#[tokio::test]
async fn a_rollout_counts_before_the_watch_has_seen_it() {
    let mut cluster = two_platforms().await;
    // Both have records that are over.
    for path in [PLATFORM, RESORT] {
        cluster.server.edit("innkeeper", path, |it| {
            let over = json!({ "startedAt": "1969-12-31T00:00:00Z", "wasReady": false });
            it["status"]["defaultsRollout"] = over;
        });
    }
    cluster.restart_with("kafka.new:9092");
    cluster.reconcile().await.unwrap();
    cluster.reconcile_platform("resort").await.unwrap();
    assert_eq!(cluster.brokers("order"), "kafka.new:9092");
    assert_eq!(cluster.brokers("stay"), BEFORE);
}
