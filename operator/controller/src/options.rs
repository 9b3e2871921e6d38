//! The options of an operator.

use std::net::SocketAddr;
use std::time::Duration;

use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_plan::ClusterDefaults;
use jiff::Timestamp;

use crate::context::Scope;

/// The options of an operator.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespaces whose platforms it reconciles.
    pub scope: Scope,
    /// The defaults of the installation.
    pub defaults: ClusterDefaults,
    /// How the operator itself reaches Kafka clusters; others without TLS and a password.
    pub kafka_clusters: Vec<KafkaCluster>,
    /// How many platforms may take new defaults at a time.
    pub platforms_at_once: usize,
    /// The address for `/livez`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// How replicas elect a leader; `None` if there is only one replica.
    pub standby: Option<Standby>,
    /// The source of the present instant.
    pub now: fn() -> Timestamp,
    /// How often to compare a topic with its object when nothing changes.
    pub topic_resync: Duration,
}

/// The Lease by which replicas of the operator elect a leader.
#[derive(Clone, Debug)]
pub struct Standby {
    /// Namespace of the Lease, which is the operator's own namespace.
    pub namespace: String,
    /// Name of the Lease.
    pub lease: String,
    /// Name of this replica, which is the name of its pod.
    pub identity: String,
}

/// The default of [`Options::topic_resync`].
pub const DEFAULT_TOPIC_RESYNC: Duration = Duration::from_mins(2);
