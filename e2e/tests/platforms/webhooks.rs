//! What admission changes in the operator's objects is reported and not fought.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{DEPLOYMENTS, DOMAIN_SERVICES, EVENTS, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::webhook::Webhooks;
use serde_json::{Value, json};

const STAMPED: Namespace = Namespace("stamped");

/// An image that does not exist until admission replaces its name.
const ELSEWHERE: &str = "elsewhere.test/innkeeper:1.0.0";
/// How often each object may be written until its platform is ready.
const WRITES: usize = 5;
/// The time in which nothing may be written.
const IDLE: Duration = Duration::from_secs(10);

pub fn lane() -> Lane {
    Lane {
        name: "webhooks",
        namespaces: &["stamped"],
        claims: claims![
            what_admission_changes_is_written_a_few_times_until_it_is_ready,
            what_admission_changes_is_left_alone_then,
            what_admission_changes_is_told,
            what_another_changes_back_each_time_is_contested,
        ],
    }
}

/// The operator's writes since the last call; none if there is no webhook to count them.
pub fn take_counts() -> BTreeMap<String, usize> {
    let webhooks = WEBHOOKS.get();
    webhooks.map(|it| it.take_counts()).unwrap_or_default()
}

static WEBHOOKS: OnceLock<Arc<Webhooks>> = OnceLock::new();

/// Adds an annotation that differs with every write.
fn stamp(object: &Value) -> Vec<Value> {
    let now = object["metadata"]["managedFields"]
        .as_array()
        .map_or(0, Vec::len);
    let stamp = format!("{now} {:?}", std::time::Instant::now());
    let annotations = &object["metadata"]["annotations"];
    let mut annotations = annotations.as_object().cloned().unwrap_or_default();
    annotations.insert("e2e.test/stamp".to_owned(), json!(stamp));
    vec![json!({ "op": "add", "path": "/metadata/annotations", "value": annotations })]
}

/// Replaces the image. A DomainService gets one where there was none, and a Deployment another one.
fn rewrite(object: &Value) -> Vec<Value> {
    let replace =
        |path: &str, image: &str| vec![json!({ "op": "replace", "path": path, "value": image })];
    if object["kind"] == "DomainService" {
        return replace("/spec/image", "nowhere.test/innkeeper:1.0.0");
    }
    let image = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));
    replace("/spec/template/spec/containers/0/image", image)
}

fn what_admission_changes_is_written_a_few_times_until_it_is_ready() {
    STAMPED.create();
    STAMPED.create_secret();
    let webhooks = Webhooks::begin(
        STAMPED,
        &["deployments", "domainservices", "domainservices/status"],
        &[("a-stamp", stamp), ("b-rewrite", rewrite)],
    );
    assert!(WEBHOOKS.set(webhooks).is_ok());
    let platform = Example::small("stamped").with("image", json!(ELSEWHERE));
    STAMPED.apply(&platform.manifest());
    STAMPED.await_ready("stamped");
    let counts = take_counts();
    assert_eq!(counts.len(), 2 * platform.names().len(), "{counts:?}");
    assert!(
        counts.values().all(|writes| *writes <= WRITES),
        "{counts:?}"
    );
}

fn what_admission_changes_is_left_alone_then() {
    thread::sleep(IDLE);
    assert_eq!(take_counts(), BTreeMap::new());
}

fn what_admission_changes_is_told() {
    let said = STAMPED.await_reason("pay", "Ready");
    let told = "admission changed Deployment pay: spec.template.spec.containers[service].image, metadata.annotations[e2e.test/stamp]";
    assert!(said.contains(told), "{said}");
    let events = STAMPED.list(EVENTS);
    let notes = || events.iter().map(|event| text(&event["note"]));
    let told =
        "admission changed DomainService pay: spec.image, metadata.annotations[e2e.test/stamp]";
    assert!(notes().any(|note| note == told), "{:?}", notes());
}

fn what_another_changes_back_each_time_is_contested() {
    let take = || {
        let patch = r#"{"spec":{"minReadySeconds":1}}"#;
        let manager = "--field-manager=rival";
        STAMPED
            .kubectl(&["patch", "deployment", "rent", manager, "--patch", patch])
            .unwrap();
    };
    let seconds = || {
        let deployment = STAMPED.fetch(DEPLOYMENTS, "rent");
        deployment["spec"]["minReadySeconds"].clone()
    };
    for _ in 0..2 {
        take();
        STAMPED.until("the operator puts it back", || match seconds() {
            value if value == 3 => Ok(()),
            value => Err(value.to_string()),
        });
    }
    take();
    let said = STAMPED.await_reason("rent", "Contested");
    assert!(
        said.contains("rival changes spec.minReadySeconds of Deployment rent back again and again"),
        "{said}"
    );
    assert_eq!(seconds(), 1);
    // The operator tries again although nothing changes.
    STAMPED.until("it is put back once more", || match seconds() {
        value if value == 3 => Ok(()),
        value => Err(value.to_string()),
    });
    assert!(STAMPED.find(DOMAIN_SERVICES, "rent").is_some());
    take_counts();
}
