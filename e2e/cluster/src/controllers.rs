//! Runs the controller manager and the scheduler.

use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::{NODE, PODS, SERVICES};

/// Starts both and does not wait for them. The state of the node and its pods shows whether they
/// work.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    start_controller_manager(layout)?;
    start_scheduler(layout)
}

fn start_controller_manager(layout: &Layout) -> Result<(), DaemonError> {
    let certificates = layout.certificates();
    let kubeconfig = certificates
        .kubeconfig("controller-manager")
        .display()
        .to_string();
    let mut manager = layout.kubernetes("kube-controller-manager");
    manager.arg(format!("--bind-address={NODE}"));
    manager.arg(format!("--kubeconfig={kubeconfig}"));
    manager.arg(format!("--authentication-kubeconfig={kubeconfig}"));
    manager.arg(format!("--authorization-kubeconfig={kubeconfig}"));
    manager.args([
        "--allocate-node-cidrs",
        "--node-cidr-mask-size=24",
        "--use-service-account-credentials",
    ]);
    manager.arg(format!("--cluster-cidr={PODS}"));
    manager.arg(format!("--service-cluster-ip-range={SERVICES}"));
    manager.arg(format!(
        "--root-ca-file={}",
        certificates.certificate("ca").display()
    ));
    manager.arg(format!(
        "--cluster-signing-cert-file={}",
        certificates.certificate("ca").display()
    ));
    manager.arg(format!(
        "--cluster-signing-key-file={}",
        certificates.key("ca").display()
    ));
    manager.arg(format!(
        "--service-account-private-key-file={}",
        certificates.key("service-accounts").display()
    ));
    manager.arg(format!(
        "--cert-dir={}",
        layout.folder.join("controller-manager").display()
    ));
    // There is only one replica, so it needs no leader election. Autoscaling that is three times
    // faster saves tests some minutes.
    manager.args([
        "--leader-elect=false",
        "--horizontal-pod-autoscaler-sync-period=5s",
    ]);
    layout
        .start("kube-controller-manager", &mut manager)
        .map(drop)
}

fn start_scheduler(layout: &Layout) -> Result<(), DaemonError> {
    let certificates = layout.certificates();
    let kubeconfig = certificates.kubeconfig("scheduler").display().to_string();
    let mut scheduler = layout.kubernetes("kube-scheduler");
    scheduler.arg(format!("--bind-address={NODE}"));
    scheduler.arg(format!("--kubeconfig={kubeconfig}"));
    scheduler.arg(format!("--authentication-kubeconfig={kubeconfig}"));
    scheduler.arg(format!("--authorization-kubeconfig={kubeconfig}"));
    scheduler.arg(format!(
        "--cert-dir={}",
        layout.folder.join("scheduler").display()
    ));
    scheduler.arg("--leader-elect=false");
    layout.start("kube-scheduler", &mut scheduler).map(drop)
}
