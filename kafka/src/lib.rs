//! Configures every Kafka client, and does what `rdkafka` lacks: describing topics with their ids,
//! and telling why a certificate was refused. It decides nothing about topics, and it is the only
//! crate that calls librdkafka's C API itself. Start reading at [`client_config`],
//! [`describe_topics`] and [`Prober`].

mod config;
mod describe;
mod native;
mod probe;
mod prober;
mod topic;
mod witness;

pub use config::{ConfigError, client_config, is_same};
pub use describe::{Description, describe_topics, fetch_topic_rights};
pub use probe::{Probed, client_certificate_ends};
pub use prober::Prober;
pub use topic::{TopicDescription, TopicRights};
