//! Topics of one's own, beside platforms.

use std::collections::BTreeMap;

use innkeeper_e2e::kubernetes::{EVENTS, TOPICS, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, kafka};
use serde_json::{Value, json};

const SHOP: Namespace = Namespace("shop");

pub fn lane() -> Lane {
    Lane {
        name: "topics",
        namespaces: &["shop"],
        claims: claims![
            a_topic_is_made_as_described,
            a_topic_grows_and_does_not_shrink,
            a_change_of_one_setting_keeps_the_others,
            what_someone_else_changed_is_put_back,
            a_topic_belongs_to_the_object_that_described_it_first,
            a_topic_goes_with_its_object_only_when_asked_for,
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
    SHOP.until("the topic has its settings", || {
        match kafka::settings("stock") {
            found if found == expected => Ok(()),
            found => Err(format!("{found:?}")),
        }
    });
}

fn a_topic_is_made_as_described() {
    SHOP.create();
    SHOP.apply(&described("stock", stock(3, 600_000)));
    SHOP.await_state(TOPICS, "stock", "Ready");
    assert_eq!(kafka::partitions("stock"), 3);
    assert_settings([("retention.ms", "600000"), ("max.message.bytes", "4096")]);
}

fn a_topic_grows_and_does_not_shrink() {
    SHOP.apply(&described("stock", stock(5, 600_000)));
    SHOP.await_state(TOPICS, "stock", "Ready");
    SHOP.until("the topic has grown", || match kafka::partitions("stock") {
        5 => Ok(()),
        count => Err(format!("{count} partitions")),
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
    // Someone looks at once when the object is touched, and else every two minutes.
    SHOP.kubectl(&["annotate", "eventtopic", "stock", "touched=true"])
        .unwrap();
    assert_settings([("retention.ms", "700000"), ("max.message.bytes", "4096")]);
    SHOP.until("an event tells of it", || {
        let reasons: Vec<_> = SHOP
            .list(EVENTS)
            .iter()
            .map(|event| text(&event["reason"]))
            .collect();
        if reasons.iter().any(|reason| reason == "DriftRepaired") {
            Ok(())
        } else {
            Err(format!("{reasons:?}"))
        }
    });
}

fn a_topic_belongs_to_the_object_that_described_it_first() {
    SHOP.apply(&described("second", stock(9, 1)));
    let said = SHOP.await_state(TOPICS, "second", "Stalled");
    assert!(
        said.contains("EventTopic shop/stock describes topic stock already"),
        "{said}"
    );
    SHOP.kubectl(&["delete", "eventtopic", "second"]).unwrap();
    assert_eq!(kafka::partitions("stock"), 5);
}

fn a_topic_goes_with_its_object_only_when_asked_for() {
    let mut spec = json!({ "topicName": "scratch", "partitions": 1, "deletionPolicy": "Delete" });
    SHOP.apply(&described("scratch", spec.take()));
    SHOP.await_state(TOPICS, "scratch", "Ready");
    SHOP.kubectl(&["delete", "eventtopics", "stock", "scratch"])
        .unwrap();
    SHOP.until("the topic is deleted", || {
        match kafka::partitions("scratch") {
            0 => Ok(()),
            count => Err(format!("{count} partitions")),
        }
    });
    assert_eq!(kafka::partitions("stock"), 5);
}
