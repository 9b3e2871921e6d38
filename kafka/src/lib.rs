//! How every client of Kafka is set up, and the one question that `rdkafka` cannot ask: which topic has a name now, by its id.
//! It never decides anything about topics, and it is the only crate that calls librdkafka's C API itself.
//! Start reading at [`client_config`] and [`describe_topics`].

mod describe;
mod native;

use rdkafka::ClientConfig;

pub use describe::{Description, TopicDescription, describe_topics};

/// What every client of ours has in common. A client that merely looks must never make a topic: brokers create the topics
/// that clients ask about unless the client says not to (`auto.create.topics.enable` is on by default).
/// <https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>
pub fn client_config(bootstrap_servers: &str, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers)
        .set("client.id", client_id)
        .set("allow.auto.create.topics", "false");
    config
}
