//! A topic is deleted with its object only if that was asked for. In every other case all records
//! are still there.

use innkeeper_e2e::kubernetes::{PLATFORMS, TOPICS};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, kafka};
use serde_json::{Value, json};

const REMOVAL: Namespace = Namespace("removal");
const DOOMED: Namespace = Namespace("doomed");

/// How many records each topic gets.
pub const RECORDS: i64 = 25;

pub fn lane() -> Lane {
    Lane {
        name: "deletion",
        namespaces: &["removal", "doomed"],
        claims: claims![
            a_platform_that_is_deleted_takes_its_topic_along,
            a_platform_that_is_deleted_in_the_foreground_takes_its_topic_along,
            a_platform_that_leaves_orphans_leaves_its_topic,
            a_platform_goes_with_its_namespace_and_so_does_its_topic,
            a_topic_stays_while_its_platform_lives,
            a_backup_that_brings_back_the_topic_first_loses_nothing,
            a_backup_that_replaces_what_was_just_made_loses_nothing,
            a_backup_that_brings_back_the_status_as_well_loses_nothing,
            of_two_objects_for_one_topic_the_last_takes_it_along,
            two_objects_that_go_at_once_take_their_topic_along,
        ],
    }
}

/// A platform that runs no pods and asks for the deletion of its topic.
pub fn platform(name: &str) -> String {
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "BookingPlatform",
        "metadata": { "name": name },
        "spec": {
            "messaging": { "topic": { "partitions": 3, "deletionPolicy": "Delete" } },
            "services": [{ "name": format!("{name}-gateway"), "replicas": 0, "gateway": {} }],
        },
    })
    .to_string()
}

/// Applies a platform, waits until it is ready, and produces records.
pub fn begin(namespace: Namespace, name: &str) {
    namespace.apply(&platform(name));
    namespace.await_ready(name);
    let topic = namespace.topic(name);
    kafka::produce(&topic, usize::try_from(RECORDS).unwrap());
    assert_eq!(kafka::count_records(&topic), Some(RECORDS));
}

/// The number of records in the topic of a platform.
pub fn count_records_of(namespace: Namespace, platform: &str) -> Option<i64> {
    kafka::count_records(&namespace.topic(platform))
}

pub fn await_records(namespace: Namespace, topic: &str, expected: Option<i64>) {
    namespace.until(&format!("topic {topic} has {expected:?} records"), || {
        match kafka::count_records(topic) {
            held if held == expected => Ok(()),
            held => Err(format!("{held:?}")),
        }
    });
}

pub fn await_gone(namespace: Namespace, name: &str) {
    namespace.until(&format!("EventTopic {name} is gone"), || {
        match namespace.find(TOPICS, name) {
            None => Ok(()),
            Some(object) => Err(object["status"].to_string()),
        }
    });
}

pub fn delete(namespace: Namespace, arguments: &[&str]) {
    namespace
        .kubectl(&[&["delete"], arguments].concat())
        .unwrap();
}

/// An object as a backup contains it: without the fields that the API server writes, but with its
/// owners.
pub fn fetch_backup(namespace: Namespace, name: &str) -> Value {
    let mut object = namespace.fetch(TOPICS, name);
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|key, _| {
        ["name", "labels", "finalizers", "ownerReferences"].contains(&key.as_str())
    });
    object
}

/// Removes a platform as the loss of a cluster would: nothing outside of Kubernetes is deleted.
pub fn lose(namespace: Namespace, name: &str) {
    delete(namespace, &["bookingplatform", name, "--cascade=orphan"]);
    let retain = r#"--patch={"spec": {"deletionPolicy": "Retain"}}"#;
    let patch = ["patch", "eventtopic", name, "--type=merge", retain];
    namespace.kubectl(&patch).unwrap();
    delete(namespace, &["eventtopic", name]);
    let service = format!("{name}-gateway");
    delete(namespace, &["domainservice", &service]);
    await_gone(namespace, name);
    assert_eq!(count_records_of(namespace, name), Some(RECORDS));
}

fn a_platform_that_is_deleted_takes_its_topic_along() {
    REMOVAL.create();
    begin(REMOVAL, "background");
    delete(REMOVAL, &["bookingplatform", "background"]);
    await_gone(REMOVAL, "background");
    await_records(REMOVAL, &REMOVAL.topic("background"), None);
}

fn a_platform_that_is_deleted_in_the_foreground_takes_its_topic_along() {
    begin(REMOVAL, "foreground");
    delete(
        REMOVAL,
        &["bookingplatform", "foreground", "--cascade=foreground"],
    );
    await_records(REMOVAL, &REMOVAL.topic("foreground"), None);
}

fn a_platform_that_leaves_orphans_leaves_its_topic() {
    begin(REMOVAL, "orphaned");
    delete(
        REMOVAL,
        &["bookingplatform", "orphaned", "--cascade=orphan"],
    );
    REMOVAL.await_state(TOPICS, "orphaned", "Ready");
    assert_eq!(count_records_of(REMOVAL, "orphaned"), Some(RECORDS));
    delete(REMOVAL, &["eventtopic", "orphaned"]);
    await_records(REMOVAL, &REMOVAL.topic("orphaned"), None);
    delete(REMOVAL, &["domainservice", "orphaned-gateway"]);
}

fn a_platform_goes_with_its_namespace_and_so_does_its_topic() {
    DOOMED.create();
    begin(DOOMED, "doomed");
    delete(DOOMED, &["namespace", DOOMED.0, "--timeout=60s"]);
    await_records(DOOMED, &DOOMED.topic("doomed"), None);
}

fn a_topic_stays_while_its_platform_lives() {
    begin(REMOVAL, "living");
    delete(REMOVAL, &["eventtopic", "living"]);
    REMOVAL.await_ready("living");
    REMOVAL.await_event("TopicKept", "BookingPlatform removal/living names it");
    assert_eq!(count_records_of(REMOVAL, "living"), Some(RECORDS));
    delete(REMOVAL, &["bookingplatform", "living"]);
    await_records(REMOVAL, &REMOVAL.topic("living"), None);
}

fn a_backup_that_brings_back_the_topic_first_loses_nothing() {
    begin(REMOVAL, "restored");
    let backup = fetch_backup(REMOVAL, "restored");
    lose(REMOVAL, "restored");
    REMOVAL
        .kubectl_with_file(&["create"], &backup.to_string())
        .unwrap();
    await_gone(REMOVAL, "restored");
    REMOVAL.apply(&platform("restored"));
    REMOVAL.await_ready("restored");
    assert_eq!(count_records_of(REMOVAL, "restored"), Some(RECORDS));
    delete(REMOVAL, &["bookingplatform", "restored"]);
    await_records(REMOVAL, &REMOVAL.topic("restored"), None);
}

fn a_backup_that_replaces_what_was_just_made_loses_nothing() {
    begin(REMOVAL, "replaced");
    let mut backup = fetch_backup(REMOVAL, "replaced");
    lose(REMOVAL, "replaced");
    REMOVAL.apply(&platform("replaced"));
    REMOVAL.await_ready("replaced");
    let made = REMOVAL.fetch(TOPICS, "replaced")["metadata"]["uid"].take();
    REMOVAL
        .kubectl_with_file(&["replace"], &backup.take().to_string())
        .unwrap();
    REMOVAL.until(
        "the garbage collector has removed it and it is made again",
        || match REMOVAL.find(TOPICS, "replaced") {
            Some(object) if object["metadata"]["uid"] != made => Ok(()),
            other => Err(format!("{other:?}")),
        },
    );
    REMOVAL.await_ready("replaced");
    assert_eq!(count_records_of(REMOVAL, "replaced"), Some(RECORDS));
    delete(REMOVAL, &["bookingplatform", "replaced"]);
    await_records(REMOVAL, &REMOVAL.topic("replaced"), None);
}

/// Restores an object as a tool does that restores statuses, too. Tries again if the garbage
/// collector deletes the object in between.
pub fn restore_with_status(namespace: Namespace, backup: &Value) {
    let backup = backup.to_string();
    let status = ["replace", "--subresource=status"];
    namespace.until("it is there with its status", || {
        namespace.kubectl_with_file(&["create"], &backup)?;
        namespace.kubectl_with_file(&status, &backup)
    });
}

fn a_backup_that_brings_back_the_status_as_well_loses_nothing() {
    begin(REMOVAL, "as-it-was");
    let backup = fetch_backup(REMOVAL, "as-it-was");
    assert!(backup["status"]["topic"]["topicId"].is_string(), "{backup}");
    lose(REMOVAL, "as-it-was");
    restore_with_status(REMOVAL, &backup);
    await_gone(REMOVAL, "as-it-was");
    assert_eq!(count_records_of(REMOVAL, "as-it-was"), Some(RECORDS));
    REMOVAL.apply(&platform("as-it-was"));
    REMOVAL.await_ready("as-it-was");
    assert_eq!(count_records_of(REMOVAL, "as-it-was"), Some(RECORDS));
    delete(REMOVAL, &["bookingplatform", "as-it-was"]);
    await_records(REMOVAL, &REMOVAL.topic("as-it-was"), None);
}

fn described(name: &str, topic: &str) -> String {
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "EventTopic",
        "metadata": { "name": name },
        "spec": { "topicName": topic, "partitions": 2, "deletionPolicy": "Delete" },
    })
    .to_string()
}

fn begin_two(topic: &str) -> [String; 2] {
    let names = [format!("{topic}-first"), format!("{topic}-second")];
    REMOVAL.apply(&described(&names[0], topic));
    REMOVAL.await_state(TOPICS, &names[0], "Ready");
    REMOVAL.apply(&described(&names[1], topic));
    REMOVAL.await_state(TOPICS, &names[1], "Stalled");
    kafka::produce(topic, usize::try_from(RECORDS).unwrap());
    names
}

fn of_two_objects_for_one_topic_the_last_takes_it_along() {
    let [first, second] = begin_two("shared");
    delete(REMOVAL, &["eventtopic", &first]);
    assert_eq!(kafka::count_records("shared"), Some(RECORDS));
    REMOVAL.await_state(TOPICS, &second, "Ready");
    delete(REMOVAL, &["eventtopic", &second]);
    await_records(REMOVAL, "shared", None);
}

fn two_objects_that_go_at_once_take_their_topic_along() {
    let [first, second] = begin_two("both");
    delete(REMOVAL, &["eventtopics", &first, &second]);
    await_records(REMOVAL, "both", None);
    assert!(REMOVAL.list(PLATFORMS).is_empty());
}
