//! kube-proxy, which makes Service addresses lead to pods.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::network::{NODE, PODS};
use crate::site::Site;

/// The port of its health check.
const HEALTH_PORT: u16 = 10256;

/// Starts kube-proxy and returns when its rules are in place.
pub fn start(site: &Site) -> Result<(), DaemonError> {
    let mut proxy = site.kubernetes("kube-proxy");
    proxy.arg(format!(
        "--kubeconfig={}",
        site.certificates().kubeconfig("proxy").display()
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
    let process = site.start("kube-proxy", &mut proxy)?;
    process.await_ready(&site.folder, Duration::from_mins(1), || {
        site.answers_http(HEALTH_PORT, "/healthz")
    })
}
