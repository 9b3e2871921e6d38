//! The network namespace that a whole cluster lives in: it has no way out, so nothing of the host is touched.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use crate::command::{CommandError, read_output, run};
use crate::network_namespace::NetworkNamespace;

/// The node's address; all of ours are from 198.18.0.0/15, which RFC 2544 sets aside for benchmarks.
pub const NODE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// The addresses of Services.
pub const SERVICES: &str = "198.18.64.0/20";

/// The address of the Service `kubernetes`, the first of [`SERVICES`].
pub const API_SERVICE: Ipv4Addr = Ipv4Addr::new(198, 18, 64, 1);

/// The address of the cluster's DNS Service.
pub const DNS: Ipv4Addr = Ipv4Addr::new(198, 18, 64, 10);

/// The addresses of pods.
pub const PODS: &str = "198.18.128.0/17";

/// The addresses of the pods of the one node, the first /24 of [`PODS`].
pub const NODE_PODS: &str = "198.18.128.0/24";

/// Why the network could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A command of iproute2 failed.
    #[error("cannot set up the network namespace")]
    Command(#[from] CommandError),
    /// A kernel setting inside the namespace could not be written.
    #[error("cannot set {setting} in the network namespace: {reason}")]
    Setting {
        /// The path below `/proc/sys`.
        setting: &'static str,
        /// What the system said.
        reason: String,
    },
}

/// The place, that is the namespace, of the cluster of this name.
pub fn namespace(cluster: &str) -> NetworkNamespace {
    NetworkNamespace::Named(format!("innkeeper-{cluster}"))
}

/// Makes the namespace of this cluster, with the node's address on a bridge, since not every kernel has dummy devices.
pub fn create(cluster: &str) -> Result<NetworkNamespace, NetworkError> {
    let network = namespace(cluster);
    run(Command::new("ip").args(["netns", "add", &format!("innkeeper-{cluster}")]))?;
    let address = format!("{NODE}/32");
    ip(&network, &["link", "set", "lo", "up"])?;
    ip(&network, &["link", "add", "node0", "type", "bridge"])?;
    ip(&network, &["address", "add", &address, "dev", "node0"])?;
    ip(&network, &["link", "set", "node0", "up"])?;
    ip(&network, &["route", "add", "default", "dev", "node0"])?;
    set(&network, "net/ipv4/ip_forward")?;
    load_bridge_filter();
    set(&network, "net/bridge/bridge-nf-call-iptables")?;
    Ok(network)
}

/// Removes the namespace of this cluster; a missing one is fine. Its processes must have ended.
pub fn remove(cluster: &str) -> Result<(), NetworkError> {
    let name = format!("innkeeper-{cluster}");
    if exists(cluster) {
        run(Command::new("ip").args(["netns", "delete", &name]))?;
    }
    Ok(())
}

/// Whether the namespace of this cluster is there.
pub fn exists(cluster: &str) -> bool {
    Path::new("/run/netns")
        .join(format!("innkeeper-{cluster}"))
        .exists()
}

/// The numbers of all processes in the namespace of this cluster, ours by construction.
pub fn list_processes(cluster: &str) -> Result<Vec<i32>, NetworkError> {
    if !exists(cluster) {
        return Ok(Vec::new());
    }
    let pids =
        read_output(Command::new("ip").args(["netns", "pids", &format!("innkeeper-{cluster}")]))?;
    Ok(pids
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect())
}

fn ip(network: &NetworkNamespace, arguments: &[&str]) -> Result<(), NetworkError> {
    Ok(run(network.command("ip").args(arguments))?)
}

fn set(network: &NetworkNamespace, setting: &'static str) -> Result<(), NetworkError> {
    let write = || fs::write(Path::new("/proc/sys").join(setting), "1");
    let outcome = network
        .within(write)
        .and_then(|written| written.map_err(|error: io::Error| error.to_string()));
    outcome.map_err(|reason| NetworkError::Setting { setting, reason })
}

/// Makes the kernel filter bridged packets; where that is built in there is no module to load, and no harm in trying.
fn load_bridge_filter() {
    let _ = run(Command::new("modprobe").arg("br_netfilter"));
}
