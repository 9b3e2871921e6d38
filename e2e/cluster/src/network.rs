//! Creates the network namespace of a cluster. It has no route to the outside, so nothing on the
//! host is affected.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use crate::command::{CommandError, read_output, run};
use crate::network_namespace::NetworkNamespace;

/// The address of the node. All addresses of the cluster are in 198.18.0.0/15, which RFC 2544
/// reserves for benchmarks.
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

/// Why the network could not be created or removed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A command of iproute2 failed.
    #[error("cannot set up the network namespace")]
    Command(#[from] CommandError),
    /// A kernel setting inside the namespace could not be written.
    #[error("cannot set {setting} in the network namespace: {reason}")]
    Setting {
        /// Path of the setting below `/proc/sys`.
        setting: &'static str,
        /// The error of the system.
        reason: String,
    },
}

/// The network namespace of the cluster with this name.
pub fn namespace(cluster: &str) -> NetworkNamespace {
    NetworkNamespace::Named(format!("innkeeper-{cluster}"))
}

/// Creates the network namespace of a cluster. The node's address is on a bridge, because not every
/// kernel has dummy devices.
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

/// Removes the network namespace of a cluster, if it exists. Its processes must have ended.
pub fn remove(cluster: &str) -> Result<(), NetworkError> {
    let name = format!("innkeeper-{cluster}");
    if exists(cluster) {
        run(Command::new("ip").args(["netns", "delete", &name]))?;
    }
    Ok(())
}

/// Whether the network namespace of a cluster exists.
pub fn exists(cluster: &str) -> bool {
    Path::new("/run/netns")
        .join(format!("innkeeper-{cluster}"))
        .exists()
}

/// Ids of all processes in the network namespace of a cluster. All of them belong to the cluster.
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

/// Makes the kernel filter bridged packets. If the filter is built in, there is no module to load,
/// and the failure does not matter.
fn load_bridge_filter() {
    let _ = run(Command::new("modprobe").arg("br_netfilter"));
}
