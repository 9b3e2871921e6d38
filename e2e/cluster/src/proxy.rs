//! Runs kube-proxy, which routes the addresses of Services to pods.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::{NODE, PODS};

/// Port of the health check.
const HEALTH_PORT: u16 = 10256;

/// Starts kube-proxy and returns when its rules are in place.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    let mut proxy = layout.kubernetes("kube-proxy");
    proxy.arg(format!(
        "--kubeconfig={}",
        layout.certificates().kubeconfig("proxy").display()
    ));
    proxy.args([
        "--proxy-mode=nftables",
        "--conntrack-max-per-core=0",
        "--hostname-override=node0",
    ]);
    proxy.arg(format!("--cluster-cidr={PODS}"));
    proxy.arg(format!("--bind-address={NODE}"));
    proxy.arg(format!("--healthz-bind-address={NODE}:{HEALTH_PORT}"));
    proxy.arg(format!("--metrics-bind-address={NODE}:10249"));
    let process = layout.start("kube-proxy", &mut proxy)?;
    process.await_ready(&layout.folder, Duration::from_mins(1), || {
        layout.check_http(HEALTH_PORT, "/healthz")
    })
}
