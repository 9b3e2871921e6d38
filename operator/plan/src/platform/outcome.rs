//! How a platform came out of a reconciliation.

use super::Children;
use crate::ownership::{Obstacle, Refused};
use crate::refusal::Refusals;

/// How a platform came out of a reconciliation.
#[derive(Debug)]
pub enum PlatformOutcome {
    /// It makes no sense; nothing was written.
    Invalid(Refusals),
    /// Something is in the way; nothing was written.
    Stopped(Obstacle),
    /// The API server refuses one of its objects.
    Refused(Refused),
    /// Its objects are applied, and this is the name of its topic in Kafka.
    Applied(Children, String),
}
