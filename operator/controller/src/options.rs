//! What an operator is told when it starts.

use std::net::SocketAddr;
use std::time::Duration;

use innkeeper_plan::ClusterDefaults;
use jiff::Timestamp;

use crate::context::Scope;

/// What an operator is told when it starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose platforms it looks after.
    pub scope: Scope,
    /// What the installation brings along for every platform.
    pub defaults: ClusterDefaults,
    /// Where `/livez`, `/readyz` and `/metrics` are answered.
    pub listen: SocketAddr,
    /// How replicas of the operator agree who works; `None` when there is only this one.
    pub standby: Option<Standby>,
    /// The present instant.
    pub now: fn() -> Timestamp,
    /// How often a topic is compared with its object, although nobody changed the object.
    pub topic_resync: Duration,
}

/// How replicas of the operator agree who works: by a Lease that one of them holds.
#[derive(Clone, Debug)]
pub struct Standby {
    /// Namespace of the Lease, which is the operator's own.
    pub namespace: String,
    /// Name of the Lease.
    pub lease: String,
    /// Name of this replica, which is its pod's.
    pub identity: String,
}

/// How often a topic is compared with its object, unless told otherwise.
pub const DEFAULT_TOPIC_RESYNC: Duration = Duration::from_mins(2);
