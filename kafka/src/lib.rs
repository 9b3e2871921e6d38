//! Configures every Kafka client, and makes the one call that `rdkafka` lacks: describing topics
//! with their ids. It decides nothing about topics, and it is the only crate that calls
//! librdkafka's C API itself. Start reading at [`client_config`] and [`describe_topics`].

mod describe;
mod native;
mod topic;

use rdkafka::ClientConfig;

pub use describe::{Description, describe_topics};
pub use topic::TopicDescription;

/// The configuration that all clients have in common. A client that only reads must never create a
/// topic, but brokers create the topics that clients ask about (`auto.create.topics.enable` is on
/// by default) unless the client forbids it.
/// <https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>
pub fn client_config(bootstrap_servers: &str, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers)
        .set("client.id", client_id)
        .set("allow.auto.create.topics", "false");
    config
}
