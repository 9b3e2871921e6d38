//! What carries a plan out, and what it brings along: brokers, a database, an image, addresses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use innkeeper_crds::database::Postgres;

/// Where a platform runs, with the defaults of that place.
#[derive(Clone, Debug)]
pub enum Executor {
    /// A Kubernetes cluster.
    Cluster(ClusterDefaults),
    /// One process on this machine.
    Local(LocalDefaults),
}

/// What an installation on a cluster brings along; all of it comes from the chart's values.
#[derive(Clone, Debug, Default)]
pub struct ClusterDefaults {
    /// `host:port` of one or more Kafka brokers, with commas between them.
    pub bootstrap_servers: Option<String>,
    /// The database of services that name none; its Secret lies in each platform's namespace.
    pub database: Option<Postgres>,
    /// The release's own image.
    pub image: String,
}

/// What a run on this machine brings along.
#[derive(Clone, Debug, Default)]
pub struct LocalDefaults {
    /// Folder of all files of the platform.
    pub data: PathBuf,
    /// Ports that are known already, by service; the others are [`crate::expand::dev_ports`].
    pub ports: BTreeMap<String, u16>,
}
