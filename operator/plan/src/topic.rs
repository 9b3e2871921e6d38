//! Decides what to do about a topic in Kafka, given what exists, and which status it gets.

mod brokers;
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

pub use brokers::bootstrap_servers;
pub use failure::KafkaFailure;
pub use observed::{ObservedTopic, TopicLookup};
pub use outcome::{TopicOutcome, settled};
pub use status::status;

pub use history::is_different;
