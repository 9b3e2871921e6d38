//! Runs the API server.

use std::time::Duration;

use crate::command::run;
use crate::daemon::DaemonError;
use crate::etcd;
use crate::layout::Layout;
use crate::network::{NODE, SERVICES};

/// Starts the API server and returns when it is ready.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    let mut apiserver = layout.kubernetes("kube-apiserver");
    apiserver
        .args(flags(layout))
        .args(certificate_flags(layout));
    let process = layout.start("kube-apiserver", &mut apiserver)?;
    process.await_ready(&layout.folder, Duration::from_secs(90), || {
        run(layout
            .kubectl()
            .args(["get", "--raw=/readyz", "--request-timeout=5s"]))
        .map_err(|error| error.to_string())
    })
}

fn flags(layout: &Layout) -> Vec<String> {
    vec![
        format!("--advertise-address={NODE}"),
        format!("--bind-address={NODE}"),
        "--secure-port=6443".to_owned(),
        format!("--etcd-servers={}", etcd::endpoint()),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        format!("--cert-dir={}", layout.folder.join("apiserver").display()),
    ]
}

fn certificate_flags(layout: &Layout) -> Vec<String> {
    let certificates = layout.certificates();
    let files = [
        ("client-ca-file", certificates.certificate("ca")),
        ("tls-cert-file", certificates.certificate("apiserver")),
        ("tls-private-key-file", certificates.key("apiserver")),
        (
            "kubelet-certificate-authority",
            certificates.certificate("ca"),
        ),
        (
            "kubelet-client-certificate",
            certificates.certificate("apiserver"),
        ),
        ("kubelet-client-key", certificates.key("apiserver")),
        (
            "service-account-key-file",
            certificates.service_accounts_public(),
        ),
        (
            "service-account-signing-key-file",
            certificates.key("service-accounts"),
        ),
        (
            "requestheader-client-ca-file",
            certificates.certificate("front-proxy-ca"),
        ),
        (
            "proxy-client-cert-file",
            certificates.certificate("front-proxy"),
        ),
        ("proxy-client-key-file", certificates.key("front-proxy")),
    ];
    files
        .iter()
        .map(|(flag, path)| format!("--{flag}={}", path.display()))
        .collect()
}
