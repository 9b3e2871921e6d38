//! The executor of a plan, and the defaults that it provides: brokers, a database, an image,
//! addresses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use innkeeper_crds::database::Postgres;
use innkeeper_crds::kafka::KafkaSecurity;

/// Where a platform runs, with the defaults of that executor.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a plan has one, and nothing holds many"
)]
pub enum Executor {
    Cluster(ClusterDefaults),
    /// One process on this machine.
    Local(LocalDefaults),
}

/// Defaults of an installation on a cluster. All of them come from the chart's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterDefaults {
    /// `host:port` of one or more Kafka brokers, with commas between them.
    pub bootstrap_servers: Option<String>,
    /// How services reach these brokers. Its Secrets must exist in the namespace of each platform.
    pub kafka: KafkaSecurity,
    /// The database of services that name none. Its Secret must exist in the namespace of each
    /// platform.
    pub database: Option<Postgres>,
    /// Image of the operator's own release.
    pub image: String,
}

/// Defaults of a run on this machine.
#[derive(Clone, Debug, Default)]
pub struct LocalDefaults {
    /// Folder that contains all files of the platform.
    pub data: PathBuf,
    /// Ports that are already known, by service; the others come from [`crate::expand::dev_ports`].
    pub ports: BTreeMap<String, u16>,
}
