//! How a service came out of a reconciliation.

use k8s_openapi::api::apps::v1::Deployment;

use super::callees::Unready;
use crate::ownership::{Obstacle, Refused};
use crate::refusal::Refusals;

/// How a service came out of a reconciliation.
#[derive(Debug)]
pub enum ServiceOutcome {
    /// It makes no sense; nothing was written.
    Invalid(Refusals),
    /// Something is in the way; nothing was written.
    Stopped(Obstacle),
    /// It waits for callees; nothing was written.
    Waiting(Vec<Unready>),
    /// The API server refuses one of its objects.
    Refused(Refused),
    /// All is applied, and this is its Deployment.
    Applied(Box<Deployment>),
}

impl ServiceOutcome {
    /// The service's Deployment, if it was applied.
    pub fn deployment(&self) -> Option<&Deployment> {
        match self {
            Self::Applied(deployment) => Some(deployment),
            Self::Invalid(_) | Self::Stopped(_) | Self::Waiting(_) | Self::Refused(_) => None,
        }
    }
}
