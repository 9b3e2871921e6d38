//! Decides what to do about a topic in Kafka, given what exists, and which status it gets.

pub mod conditions;
pub mod event;
mod failure;
pub mod history;
mod observed;
mod outcome;
pub mod plan;
pub mod release;
pub mod rivals;
mod status;

pub use failure::KafkaFailure;
use innkeeper_crds::EventTopic;
pub use observed::{ObservedTopic, TopicLookup};
pub use outcome::{TopicOutcome, settled};
pub use status::status;

use crate::executor::ClusterDefaults;
pub use history::is_different;

/// The brokers of a topic: those that it names, else those of the installation.
pub fn bootstrap_servers<'a>(
    topic: &'a EventTopic,
    defaults: &'a ClusterDefaults,
) -> Option<&'a str> {
    let own = topic.spec.bootstrap_servers.as_deref();
    own.or(defaults.bootstrap_servers.as_deref())
}
