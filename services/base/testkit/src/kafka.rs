//! The Kafka that tests use, and topics for single tests. Each test configures its own client.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic};
use rdkafka::client::DefaultClientContext;
use uuid::Uuid;

/// A client that creates and deletes topics.
pub type Admin = AdminClient<DefaultClientContext>;

/// The address of the broker, as `host:port`.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by the environment where its broker is"
)]
pub fn bootstrap_servers() -> String {
    std::env::var("INNKEEPER_TEST_KAFKA").expect(
        "INNKEEPER_TEST_KAFKA is the host:port of a Kafka, as `cargo xtask services up` prints it",
    )
}

/// A topic name that no other test has.
pub fn unique_name(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::now_v7())
}

pub async fn create_topic(admin: &Admin, topic: &NewTopic<'_>) {
    let created = admin.create_topics([topic], &AdminOptions::new()).await;
    created.unwrap().remove(0).unwrap();
}

pub async fn delete_topic(admin: &Admin, name: &str) {
    let deleted = admin.delete_topics(&[name], &AdminOptions::new()).await;
    deleted.unwrap().remove(0).unwrap();
}
