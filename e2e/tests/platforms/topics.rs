//! Topics that belong to no platform, and topics of platforms.

use std::collections::BTreeMap;

use innkeeper_e2e::kubernetes::{PLATFORMS, TOPICS, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::site::site;
use innkeeper_e2e::watch::KubectlWatch;
use innkeeper_e2e::{claims, kafka};
use serde_json::{Value, json};

const SHOP: Namespace = Namespace("shop");
const BRANCH: Namespace = Namespace("branch");

pub fn lane() -> Lane {
    Lane {
        name: "topics",
        namespaces: &["shop", "branch"],
        claims: claims![
            a_topic_is_made_as_described,
            a_topic_grows_and_does_not_shrink,
            a_change_of_one_setting_keeps_the_others,
            what_someone_else_changed_is_put_back,
            a_topic_belongs_to_the_object_that_described_it_first,
            a_topic_goes_with_its_object_only_when_asked_for,
            a_topic_that_someone_deletes_is_lost_before_it_is_made_anew,
            a_topic_that_auto_creation_made_grows_as_long_as_it_is_empty,
            what_is_said_of_a_topic_with_other_partitions_helps,
            what_is_said_of_a_topic_that_goes_with_its_platform_loses_no_record,
            what_is_said_of_a_topic_that_nobody_needs_helps,
            what_is_said_of_a_topic_with_other_replicas_helps,
            what_is_said_of_settings_that_kafka_refuses_helps,
            what_is_said_of_a_platform_whose_topic_is_taken_helps,
            one_file_has_a_topic_in_each_namespace,
            a_name_that_kafka_takes_for_another_is_refused_with_a_remedy,
        ],
    }
}

fn described(name: &str, spec: Value) -> String {
    let kind = json!({ "apiVersion": "innkeeper.dev/v1alpha1", "kind": "EventTopic" });
    let mut topic = kind;
    topic["metadata"] = json!({ "name": name });
    topic["spec"] = spec;
    topic.to_string()
}

fn stock(partitions: u32, retention_ms: u32) -> Value {
    json!({
        "topicName": "stock",
        "partitions": partitions,
        "config": { "retention.ms": retention_ms, "max.message.bytes": 4096 },
    })
}

fn assert_settings(expected: [(&str, &str); 2]) {
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    SHOP.until(
        "the topic has its settings",
        || match kafka::fetch_settings("stock") {
            found if found == expected => Ok(()),
            found => Err(format!("{found:?}")),
        },
    );
}

fn a_topic_is_made_as_described() {
    SHOP.create();
    SHOP.apply(&described("stock", stock(3, 600_000)));
    SHOP.await_state(TOPICS, "stock", "Ready");
    assert_eq!(kafka::count_partitions("stock"), 3);
    assert_settings([("retention.ms", "600000"), ("max.message.bytes", "4096")]);
}

fn a_topic_grows_and_does_not_shrink() {
    SHOP.apply(&described("stock", stock(5, 600_000)));
    SHOP.await_state(TOPICS, "stock", "Ready");
    SHOP.until("the topic has grown", || {
        match kafka::count_partitions("stock") {
            5 => Ok(()),
            count => Err(format!("{count} partitions")),
        }
    });
    let shrunk = described("stock", stock(4, 600_000));
    let refusal = SHOP.kubectl_with_file(&["apply"], &shrunk).unwrap_err();
    assert!(refusal.contains("partitions"), "{refusal}");
}

fn a_change_of_one_setting_keeps_the_others() {
    SHOP.apply(&described("stock", stock(5, 700_000)));
    SHOP.await_state(TOPICS, "stock", "Ready");
    assert_settings([("retention.ms", "700000"), ("max.message.bytes", "4096")]);
}

fn what_someone_else_changed_is_put_back() {
    kafka::configure("stock", "retention.ms", "1");
    // The operator compares the topic when its object changes, otherwise only every two minutes.
    SHOP.kubectl(&["annotate", "eventtopic", "stock", "touched=true"])
        .unwrap();
    assert_settings([("retention.ms", "700000"), ("max.message.bytes", "4096")]);
    SHOP.await_event(
        "DriftRepaired",
        "its own settings are max.message.bytes, retention.ms now",
    );
}

fn a_topic_belongs_to_the_object_that_described_it_first() {
    SHOP.apply(&described("second", stock(9, 1)));
    let said = SHOP.await_state(TOPICS, "second", "Stalled");
    assert_eq!(
        said,
        "EventTopic shop/stock describes topic stock already: delete this EventTopic and apply one with another topicName, or delete the other"
    );
    SHOP.kubectl(&["delete", "eventtopic", "second"]).unwrap();
    let mut other = stock(9, 1);
    other["topicName"] = json!("stock-of-the-second");
    SHOP.apply(&described("second", other));
    SHOP.await_state(TOPICS, "second", "Ready");
    assert_eq!(kafka::count_partitions("stock"), 5);
}

fn a_topic_goes_with_its_object_only_when_asked_for() {
    let mut spec = json!({ "topicName": "scratch", "partitions": 1, "deletionPolicy": "Delete" });
    SHOP.apply(&described("scratch", spec.take()));
    SHOP.await_state(TOPICS, "scratch", "Ready");
    SHOP.kubectl(&["delete", "eventtopics", "stock", "scratch"])
        .unwrap();
    SHOP.until("the topic is deleted", || {
        match kafka::count_partitions("scratch") {
            0 => Ok(()),
            count => Err(format!("{count} partitions")),
        }
    });
    assert_eq!(kafka::count_partitions("stock"), 5);
}

/// A platform that runs no pods.
fn platform(name: &str, partitions: u32) -> String {
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "BookingPlatform",
        "metadata": { "name": name },
        "spec": {
            "messaging": { "topic": { "partitions": partitions } },
            "services": [{ "name": format!("{name}-gateway"), "replicas": 0, "gateway": {} }],
        },
    })
    .to_string()
}

fn a_topic_that_someone_deletes_is_lost_before_it_is_made_anew() {
    SHOP.apply(&platform("lost", 3));
    SHOP.await_ready("lost");
    kafka::produce(&SHOP.topic("lost"), 25);
    let reason = "{.status.conditions[?(@.type==\"Ready\")].reason}";
    let topic = KubectlWatch::begin(SHOP, "eventtopic/lost", reason);
    let platform = KubectlWatch::begin(SHOP, "bookingplatform/lost", reason);
    kafka::delete(&SHOP.topic("lost"));
    for (what, watch) in [("topic", &topic), ("platform", &platform)] {
        SHOP.until(&format!("the {what} was lost and is ready again"), || {
            let reasons = watch.read_values();
            let lost = reasons.iter().position(|reason| reason == "TopicLost");
            let ready = reasons.iter().rposition(|reason| reason == "Ready");
            if lost.is_some() && ready > lost {
                Ok(())
            } else {
                Err(format!("{reasons:?}"))
            }
        });
    }
    SHOP.await_event(
        "TopicLost",
        "someone deleted topic shop.lost with all its records",
    );
    SHOP.await_event("TopicRecreated", "it was made anew and is empty");
    assert_eq!(kafka::count_records(&SHOP.topic("lost")), Some(0));
    assert_eq!(kafka::count_partitions(&SHOP.topic("lost")), 3);
}

fn a_topic_that_auto_creation_made_grows_as_long_as_it_is_empty() {
    kafka::auto_create(&SHOP.topic("looked-at"));
    assert_eq!(kafka::count_partitions(&SHOP.topic("looked-at")), 1);
    SHOP.apply(&platform("looked-at", 3));
    SHOP.await_ready("looked-at");
    assert_eq!(kafka::count_partitions(&SHOP.topic("looked-at")), 3);
}

fn what_is_said_of_a_topic_with_other_partitions_helps() {
    kafka::create(&SHOP.topic("used"), 1);
    kafka::produce(&SHOP.topic("used"), 1);
    SHOP.apply(&platform("used", 3));
    let said = SHOP.await_state(TOPICS, "used", "Stalled");
    let again = "delete platform used and apply it again with spec.messaging.topic.partitions: 1";
    let tools = "--delete --topic shop.used";
    assert!(said.contains(again) && said.contains(tools), "{said}");
    SHOP.kubectl(&["delete", "bookingplatform", "used"])
        .unwrap();
    SHOP.apply(&platform("used", 1));
    SHOP.await_ready("used");
    assert_eq!(kafka::count_records(&SHOP.topic("used")), Some(1));

    kafka::create("large", 5);
    SHOP.apply(&described(
        "large",
        json!({ "topicName": "large", "partitions": 3 }),
    ));
    let said = SHOP.await_state(TOPICS, "large", "Stalled");
    assert!(said.contains("ask for at least 5"), "{said}");
    SHOP.apply(&described(
        "large",
        json!({ "topicName": "large", "partitions": 5 }),
    ));
    SHOP.await_state(TOPICS, "large", "Ready");
}

/// The topic that a message suggests to delete with Kafka's tools.
fn to_delete(said: &str) -> String {
    let (_, words) = said
        .split_once("kafka-topics.sh --bootstrap-server ")
        .unwrap();
    let (command, _) = words.split_once(')').unwrap();
    let (brokers, topic) = command.split_once(" --delete --topic ").unwrap();
    assert_eq!(brokers, site().cluster.kafka());
    topic.to_owned()
}

fn what_is_said_of_a_topic_that_goes_with_its_platform_loses_no_record() {
    let with = |partitions: u32, policy: &str| {
        let mut platform: Value = serde_json::from_str(&platform("going", partitions)).unwrap();
        platform["spec"]["messaging"]["topic"]["deletionPolicy"] = json!(policy);
        SHOP.apply(&platform.to_string());
    };
    with(3, "Delete");
    SHOP.await_ready("going");
    kafka::produce(&SHOP.topic("going"), 25);
    kafka::grow(&SHOP.topic("going"), 5);
    let said = SHOP.await_state(TOPICS, "going", "Stalled");
    let first = "to keep its records, ask for spec.messaging.topic.deletionPolicy: Retain in platform going, and wait until EventTopic going has it; then delete platform going and apply it again with spec.messaging.topic.partitions: 5";
    assert!(said.contains(first), "{said}");
    with(3, "Retain");
    SHOP.until("the EventTopic has it", || {
        match &SHOP.fetch(TOPICS, "going")["spec"]["deletionPolicy"] {
            policy if policy == "Retain" => Ok(()),
            policy => Err(policy.to_string()),
        }
    });
    SHOP.kubectl(&["delete", "bookingplatform", "going"])
        .unwrap();
    with(5, "Delete");
    SHOP.await_ready("going");
    assert_eq!(kafka::count_records(&SHOP.topic("going")), Some(25));
}

fn what_is_said_of_a_topic_that_nobody_needs_helps() {
    kafka::create(&SHOP.topic("unneeded"), 1);
    kafka::produce(&SHOP.topic("unneeded"), 1);
    SHOP.apply(&platform("unneeded", 3));
    let said = SHOP.await_state(TOPICS, "unneeded", "Stalled");
    kafka::delete(&to_delete(&said));
    SHOP.await_ready("unneeded");
    assert_eq!(kafka::count_partitions(&SHOP.topic("unneeded")), 3);
}

fn what_is_said_of_settings_that_kafka_refuses_helps() {
    let asked = |value: &str| {
        let config = json!({ "leader.replication.throttled.replicas": value });
        let spec = json!({ "topicName": "throttled", "partitions": 1, "config": config });
        SHOP.apply(&described("throttled", spec));
    };
    asked("none of these");
    let said = SHOP.await_state(TOPICS, "throttled", "Stalled");
    assert!(said.ends_with(": correct config"), "{said}");
    asked("0:1");
    SHOP.await_state(TOPICS, "throttled", "Ready");
}

/// Tries each remedy in the message, one after another.
fn what_is_said_of_a_platform_whose_topic_is_taken_helps() {
    let taken = json!({ "topicName": "shop.taken", "partitions": 1 });
    SHOP.apply(&described("first", taken));
    SHOP.await_state(TOPICS, "first", "Ready");
    SHOP.apply(&platform("taken", 3));
    let said = SHOP.await_state(TOPICS, "taken", "Stalled");
    assert_eq!(
        said,
        "EventTopic shop/first describes topic shop.taken already: delete platform taken and apply it again with another spec.messaging.topic.name, or delete the other"
    );
    SHOP.kubectl(&["delete", "bookingplatform", "taken"])
        .unwrap();
    let mut renamed: Value = serde_json::from_str(&platform("taken", 3)).unwrap();
    renamed["spec"]["messaging"]["topic"]["name"] = json!("not-taken");
    SHOP.apply(&renamed.to_string());
    SHOP.await_ready("taken");

    SHOP.apply(&platform("first-come", 3));
    SHOP.await_ready("first-come");
    SHOP.apply(&described(
        "other",
        json!({ "topicName": "shop.first-come", "partitions": 3 }),
    ));
    let said = SHOP.await_state(TOPICS, "other", "Stalled");
    assert!(said.ends_with(", or delete the other"), "{said}");
    SHOP.kubectl(&["delete", "bookingplatform", "first-come"])
        .unwrap();
    SHOP.await_state(TOPICS, "other", "Ready");
}

fn what_is_said_of_a_topic_with_other_replicas_helps() {
    let asked = |replication: Value| {
        let spec = json!({ "topicName": "copies", "partitions": 1, "replication": replication });
        SHOP.apply(&described("copies", spec));
    };
    asked(json!(3));
    let said = SHOP.await_state(TOPICS, "copies", "Stalled");
    assert!(said.contains("lower replication, or add brokers"), "{said}");
    asked(json!(1));
    SHOP.await_state(TOPICS, "copies", "Ready");
    asked(json!(3));
    let said = SHOP.await_state(TOPICS, "copies", "Stalled");
    assert!(said.contains("leave replication out"), "{said}");
    asked(Value::Null);
    SHOP.await_state(TOPICS, "copies", "Ready");
    asked(json!(3));
    SHOP.await_state(TOPICS, "copies", "Stalled");
    SHOP.kubectl(&["delete", "eventtopic", "copies"]).unwrap();
}

fn a_name_that_kafka_takes_for_another_is_refused_with_a_remedy() {
    kafka::create("team.orders", 1);
    let asked = |topic: &str| {
        let spec = json!({ "topicName": topic, "partitions": 1 });
        SHOP.apply(&described("orders", spec));
    };
    asked("team_orders");
    let said = SHOP.await_state(TOPICS, "orders", "Stalled");
    assert_eq!(
        said,
        "Kafka has topic team.orders, whose name Kafka takes for the same as team_orders (a dot counts as an underscore): delete this EventTopic and apply one with another topicName"
    );
    SHOP.kubectl(&["delete", "eventtopic", "orders"]).unwrap();
    asked("team-orders");
    SHOP.await_state(TOPICS, "orders", "Ready");
}

fn one_file_has_a_topic_in_each_namespace() {
    BRANCH.create();
    for namespace in [SHOP, BRANCH] {
        namespace.apply(&platform("twin", 3));
    }
    for namespace in [SHOP, BRANCH] {
        namespace.await_ready("twin");
        let told = &namespace.fetch(PLATFORMS, "twin")["status"]["topic"];
        assert_eq!(text(told), namespace.topic("twin"));
        assert_eq!(kafka::count_partitions(&namespace.topic("twin")), 3);
    }
}
