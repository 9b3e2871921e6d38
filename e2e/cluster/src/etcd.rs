//! etcd, where the API server keeps everything.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::network::NODE;
use crate::site::Site;

/// The port for clients.
const PORT: u16 = 2379;

/// Where the API server finds it.
pub fn endpoint() -> String {
    format!("http://{NODE}:{PORT}")
}

/// Starts etcd and returns when it is healthy.
pub fn start(site: &Site) -> Result<(), DaemonError> {
    let mut etcd = site.network.command("etcd");
    etcd.args(["--name=node0", "--logger=zap", "--log-level=warn"]);
    etcd.arg(format!("--data-dir={}", site.folder.join("etcd").display()));
    etcd.arg(format!("--listen-client-urls={}", endpoint()));
    etcd.arg(format!("--advertise-client-urls={}", endpoint()));
    etcd.arg(format!("--listen-peer-urls=http://{NODE}:2380"));
    etcd.arg(format!("--initial-advertise-peer-urls=http://{NODE}:2380"));
    etcd.arg(format!("--initial-cluster=node0=http://{NODE}:2380"));
    let process = site.start("etcd", &mut etcd)?;
    process.await_ready(&site.folder, Duration::from_secs(30), || {
        site.answers_http(PORT, "/health")
    })
}
