//! The outcome of a platform's reconciliation.

use super::children::Children;
use crate::ownership::{Obstacle, Refused};
use crate::refusal::Refusals;

/// The outcome of a platform's reconciliation.
#[derive(Debug)]
pub enum PlatformOutcome {
    /// The platform is invalid; nothing was written.
    Invalid(Refusals),
    /// Objects of others are in the way; nothing was written.
    Stopped(Obstacle),
    /// The API server refused one of the platform's children.
    Refused(Refused),
    /// The children are applied; holds them and the name of the topic in Kafka.
    Applied(Children, String),
}
