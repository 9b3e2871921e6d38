//! Runs etcd, the database of the API server.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::NODE;

/// The port for clients.
const PORT: u16 = 2379;

/// Address of etcd for the API server.
pub fn endpoint() -> String {
    format!("http://{NODE}:{PORT}")
}

/// Starts etcd and returns when it is healthy.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    let mut etcd = layout.network.command("etcd");
    etcd.args(["--name=node0", "--logger=zap", "--log-level=warn"]);
    etcd.arg(format!(
        "--data-dir={}",
        layout.folder.join("etcd").display()
    ));
    etcd.arg(format!("--listen-client-urls={}", endpoint()));
    etcd.arg(format!("--advertise-client-urls={}", endpoint()));
    etcd.arg(format!("--listen-peer-urls=http://{NODE}:2380"));
    etcd.arg(format!("--initial-advertise-peer-urls=http://{NODE}:2380"));
    etcd.arg(format!("--initial-cluster=node0=http://{NODE}:2380"));
    let process = layout.start("etcd", &mut etcd)?;
    process.await_ready(&layout.folder, Duration::from_secs(30), || {
        layout.check_http(PORT, "/health")
    })
}
