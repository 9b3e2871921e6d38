//! Describes topics of a real broker, which creates the topics that clients ask about, as brokers
//! do by default.
#![cfg(feature = "services")]
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::time::Duration;

use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::{TopicDescription, client_config, describe_topics};
use innkeeper_testkit::kafka::{Admin, bootstrap_servers, create_topic, delete_topic, unique_name};
use innkeeper_testkit::patience::{PATIENCE, until};
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

fn admin() -> Admin {
    client_config(&KafkaCluster::plain(bootstrap_servers()), "describe")
        .unwrap()
        .create()
        .unwrap()
}

fn name() -> String {
    unique_name("describe")
}

async fn create(admin: &Admin, name: &str) {
    let topic = NewTopic::new(name, 3, TopicReplication::Fixed(1));
    create_topic(admin, &topic).await;
}

fn names(admin: &Admin) -> Vec<String> {
    let metadata = admin.inner().fetch_metadata(None, PATIENCE).unwrap();
    let names = metadata.topics().iter().map(|it| it.name().to_owned());
    names.collect()
}

fn described(admin: &Admin, name: &str) -> Option<TopicDescription> {
    let description = describe_topics(admin.inner(), &[name], PATIENCE).unwrap();
    assert!(description.cluster_id.is_some());
    description.topics.into_iter().next().unwrap().unwrap()
}

/// Waits until a topic is described. The broker that is asked may know less than the controller.
async fn appears(admin: &Admin, name: &str) -> TopicDescription {
    until("the topic is there", async || {
        described(admin, name).ok_or_else(|| "it is not there".to_owned())
    })
    .await
}

/// Waits until a topic is no longer described.
async fn disappears(admin: &Admin, name: &str) {
    until("the topic is gone", async || {
        described(admin, name).map_or(Ok(()), |seen| Err(format!("{seen:?}")))
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_is_made_anew_has_another_id() {
    let (admin, name) = (admin(), name());
    create(&admin, &name).await;
    let first = appears(&admin, &name).await;
    assert_eq!((first.partitions, first.replication), (3, 1));
    assert_eq!(first.topic_id.as_ref().map(String::len), Some(22));
    assert_eq!(described(&admin, &name), Some(first.clone()));
    delete_topic(&admin, &name).await;
    disappears(&admin, &name).await;
    create(&admin, &name).await;
    let second = appears(&admin, &name).await;
    assert_ne!(second.topic_id, first.topic_id);
    delete_topic(&admin, &name).await;
}

#[tokio::test]
async fn looking_makes_no_topic() {
    let (admin, missing, later) = (admin(), name(), name());
    assert_eq!(described(&admin, &missing), None);
    // This call uses a handle of the topic, about which a client asks again and again.
    admin
        .inner()
        .fetch_metadata(Some(&missing), PATIENCE)
        .unwrap();
    // The brokers learn of a topic that is created later after they have learned of the others.
    create(&admin, &later).await;
    until("the later topic is known", async || {
        let names = names(&admin);
        let is_known = names.contains(&later);
        is_known.then_some(()).ok_or(format!("{names:?}"))
    })
    .await;
    assert!(!names(&admin).contains(&missing));
    delete_topic(&admin, &later).await;
}

#[test]
fn one_answer_comes_for_each_name_in_order() {
    let admin = admin();
    let asked: Vec<String> = (0..50).map(|_| name()).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let seen = describe_topics(admin.inner(), &asked, PATIENCE).unwrap();
    assert_eq!(seen.topics, vec![Ok(None); 50]);
}

#[test]
fn brokers_that_do_not_answer_are_an_error_in_time() {
    let admin: Admin = client_config(&KafkaCluster::plain("127.0.0.1:1"), "describe")
        .unwrap()
        .create()
        .unwrap();
    let seen = describe_topics(admin.inner(), &["rentcar"], Duration::from_millis(500));
    assert!(
        matches!(
            seen,
            Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut))
        ),
        "{seen:?}"
    );
}
