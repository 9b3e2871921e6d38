//! The outcome of a service's reconciliation.

use k8s_openapi::api::apps::v1::Deployment;

use super::callees::Unready;
use crate::ownership::{Obstacle, Refused};
use crate::refusal::Refusals;

/// The outcome of a service's reconciliation.
#[derive(Debug)]
pub enum ServiceOutcome {
    /// The specification is invalid; nothing was written.
    Invalid(Refusals),
    /// Objects of others are in the way; nothing was written.
    Stopped(Obstacle),
    /// Callees are not ready; nothing was written.
    Waiting(Vec<Unready>),
    /// The API server refused one of the service's objects.
    Refused(Refused),
    /// All objects are applied; holds the Deployment.
    Applied(Box<Deployment>),
}

impl ServiceOutcome {
    /// The Deployment of the service, if it was applied.
    pub fn deployment(&self) -> Option<&Deployment> {
        match self {
            Self::Applied(deployment) => Some(deployment),
            Self::Invalid(_) | Self::Stopped(_) | Self::Waiting(_) | Self::Refused(_) => None,
        }
    }
}
