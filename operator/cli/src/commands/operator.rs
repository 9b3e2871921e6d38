//! `innkeeper operator`: runs the operator, as the chart's Deployment does.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZero;

use innkeeper_contracts::pod;
use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_controller::{DEFAULT_TOPIC_RESYNC, Options, RunError, Scope, Standby};
use innkeeper_kit::clock::{Clock as _, SystemClock};
use innkeeper_runtime::shutdown::EndSignals;
use tokio_util::sync::CancellationToken;

use crate::cluster::ClusterArguments;
use crate::exit::Failure;
use crate::process;

/// The arguments of `innkeeper operator`. The chart sets all of them.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    cluster: ClusterArguments,
    /// How the operator itself reaches the brokers of a Kafka cluster, as JSON with
    /// `bootstrapServers`, `tls` and `sasl`; without TLS and a password when left out. It may be
    /// given several times.
    #[arg(long, value_name = "JSON", value_parser = kafka_cluster)]
    kafka_cluster: Vec<KafkaCluster>,
    /// How many platforms take new defaults at a time; the next one does when one of them is ready.
    #[arg(long, value_name = "NUMBER", default_value_t = NonZero::<usize>::MIN)]
    platforms_at_once: NonZero<usize>,
    /// Look after the platforms of this namespace only.
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Option<String>,
    /// Namespace of the Lease by which replicas agree who works; when left out, this is the only
    /// one.
    #[arg(long, value_name = "NAMESPACE", requires = "identity")]
    namespace: Option<String>,
    /// Name of this replica.
    #[arg(long, value_name = "NAME", requires = "namespace")]
    identity: Option<String>,
    /// Name of the Lease.
    #[arg(long, value_name = "NAME", default_value = "innkeeper")]
    lease: String,
    /// Where `/livez`, `/readyz` and `/metrics` are answered.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere())]
    listen: SocketAddr,
}

const fn everywhere() -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), pod::ADMIN_PORT)
}

impl Arguments {
    fn options(self) -> Options {
        let standby = self.namespace.zip(self.identity);
        Options {
            scope: self
                .watch_namespace
                .map_or(Scope::Cluster, Scope::Namespace),
            defaults: self.cluster.defaults(),
            kafka_clusters: self.kafka_cluster,
            platforms_at_once: self.platforms_at_once.get(),
            listen: self.listen,
            standby: standby.map(|(namespace, identity)| Standby {
                namespace,
                lease: self.lease,
                identity,
            }),
            now: || SystemClock.now(),
            topic_resync: DEFAULT_TOPIC_RESYNC,
        }
    }
}

fn kafka_cluster(text: &str) -> Result<KafkaCluster, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Runs the operator until SIGTERM or Ctrl-C.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    process::run(|signals| operate(arguments.options(), signals))
}

async fn operate(options: Options, mut signals: EndSignals) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let mut running = std::pin::pin!(innkeeper_controller::run(options, stop.clone()));
    let outcome = tokio::select! {
        outcome = &mut running => outcome,
        () = signals.next() => {
            stop.cancel();
            running.await
        }
    };
    outcome.map_err(|error| match error {
        RunError::Cluster(_) | RunError::Listen { .. } => Failure::refused(&error),
        _ => Failure::failed(&error),
    })
}

#[cfg(test)]
mod tests;
