//! A deleted namespace does not hang, whatever the operator still has to do in it, and whatever
//! permissions are gone.

use innkeeper_cluster::cluster::Cluster;
use innkeeper_e2e::kubernetes::{TOPICS, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::operator::{self, NAMESPACE};
use innkeeper_e2e::site::site;
use innkeeper_e2e::{claims, kafka};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::deletion::{
    RECORDS, await_gone, await_records, begin, count_records_of, delete, platform,
};

const WATCHED: Namespace = Namespace("watched");
const WAITING: Namespace = Namespace("waiting");
const AGAIN: Namespace = Namespace("again");

pub fn lane() -> Lane {
    Lane {
        name: "namespaces",
        namespaces: &["innkeeper-system", "watched", "waiting", "again"],
        claims: claims![
            a_topic_that_cannot_be_deleted_says_how_to_let_its_object_go,
            a_platform_applied_again_before_its_topic_was_deleted_keeps_it,
            the_operators_own_namespace_takes_no_topic_along,
            a_namespace_that_does_not_exist_is_not_watched,
            a_watched_namespace_goes_with_its_topics_or_leaves_them_as_asked,
        ],
    }
}

fn described(name: &str, policy: &str) -> String {
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "EventTopic",
        "metadata": { "name": name },
        "spec": { "topicName": name, "partitions": 1, "deletionPolicy": policy },
    })
    .to_string()
}

/// Kafka does not answer until this value is dropped.
struct SilentKafka(Pid);

impl SilentKafka {
    fn begin() -> Self {
        let processes = Cluster::list_processes(&site().name).unwrap();
        let kafka = processes.iter().find(|process| process.name == "kafka");
        let pid = Pid::from_raw(kafka.unwrap().pid);
        kill(pid, Signal::SIGSTOP).unwrap();
        Self(pid)
    }
}

impl Drop for SilentKafka {
    fn drop(&mut self) {
        kill(self.0, Signal::SIGCONT).unwrap();
    }
}

fn a_topic_that_cannot_be_deleted_says_how_to_let_its_object_go() {
    WAITING.create();
    for name in ["waiting", "let-go"] {
        WAITING.apply(&described(name, "Delete"));
        WAITING.await_state(TOPICS, name, "Ready");
    }
    let silent = SilentKafka::begin();
    delete(
        WAITING,
        &["eventtopics", "waiting", "let-go", "--wait=false"],
    );
    let said = WAITING.until("the object says why it does not go", || {
        let topic = WAITING.fetch(TOPICS, "let-go");
        let conditions = topic["status"]["conditions"].as_array().unwrap().clone();
        let mut failed = conditions
            .iter()
            .filter(|it| it["reason"] == "DeletionFailed");
        let found = failed.find(|it| it["type"] == "Ready");
        found
            .map(|it| text(&it["message"]))
            .ok_or(topic["status"].to_string())
    });
    WAITING.obey(&said);
    await_gone(WAITING, "let-go");
    drop(silent);
    delete(WAITING, &["namespace", WAITING.0, "--timeout=30s"]);
    await_records(WAITING, "waiting", None);
    assert_eq!(kafka::count_records("let-go"), Some(0));
}

fn a_platform_applied_again_before_its_topic_was_deleted_keeps_it() {
    AGAIN.create();
    begin(AGAIN, "again");
    let former = AGAIN.fetch(TOPICS, "again")["metadata"]["uid"].take();
    let silent = SilentKafka::begin();
    delete(AGAIN, &["bookingplatform", "again"]);
    AGAIN.until("its topic is to go", || {
        match &AGAIN.fetch(TOPICS, "again")["metadata"]["deletionTimestamp"] {
            Value::Null => Err("not yet".to_owned()),
            _ => Ok(()),
        }
    });
    AGAIN.apply(&platform("again"));
    drop(silent);
    AGAIN.until("another object is there", || {
        match AGAIN.find(TOPICS, "again") {
            Some(topic) if topic["metadata"]["uid"] != former => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    AGAIN.await_ready("again");
    AGAIN.await_event("TopicKept", "BookingPlatform again/again names it");
    assert_eq!(count_records_of(AGAIN, "again"), Some(RECORDS));
}

fn the_operators_own_namespace_takes_no_topic_along() {
    NAMESPACE.apply(&described("own", "Retain"));
    NAMESPACE.await_state(TOPICS, "own", "Ready");
    NAMESPACE.apply(&described("own", "Delete"));
    let said = NAMESPACE.await_state(TOPICS, "own", "Stalled");
    assert!(said.contains("a namespace of its own"), "{said}");
    let finalizers = &NAMESPACE.fetch(TOPICS, "own")["metadata"]["finalizers"];
    assert_eq!(*finalizers, Value::Null);
    // Tries both remedies in the message.
    NAMESPACE.apply(&described("own", "Retain"));
    NAMESPACE.await_state(TOPICS, "own", "Ready");
    delete(NAMESPACE, &["eventtopic", "own"]);
    assert_eq!(kafka::count_records("own"), Some(0));
    AGAIN.apply(&described("own", "Delete"));
    AGAIN.await_state(TOPICS, "own", "Ready");
    delete(AGAIN, &["eventtopic", "own"]);
    await_records(AGAIN, "own", None);
}

fn a_namespace_that_does_not_exist_is_not_watched() {
    let watch = ["--set", "watchNamespace=nowhere"];
    let refused = operator::try_install(&watch).unwrap_err().to_string();
    let said =
        "there is no namespace nowhere: create it first, with kubectl create namespace nowhere";
    assert!(refused.contains(said), "{refused}");
}

fn a_watched_namespace_goes_with_its_topics_or_leaves_them_as_asked() {
    WATCHED.create();
    operator::install_whole_with(&["--set", "watchNamespace=watched"]);
    begin(WATCHED, "watched");
    WATCHED.apply(&described("retained", "Retain"));
    WATCHED.await_state(TOPICS, "retained", "Ready");
    assert_eq!(count_records_of(WATCHED, "watched"), Some(RECORDS));
    delete(WATCHED, &["namespace", WATCHED.0, "--timeout=30s"]);
    await_records(WATCHED, &WATCHED.topic("watched"), None);
    assert_eq!(kafka::count_records("retained"), Some(0));
    operator::install_whole();
}
