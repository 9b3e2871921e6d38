//! Runs kubelet, the agent on the node, with its cgroups.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::containerd;
use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::{DNS, NODE};

/// The folder in which cgroups are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Starts kubelet. The node becomes Ready later, after kubelet has checked everything.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    create_cgroups(layout)?;
    let configuration = layout.write("kubelet.yaml", &configuration(layout))?;
    let mut kubelet = layout.kubernetes("kubelet");
    kubelet.arg(format!("--config={}", configuration.display()));
    kubelet.arg(format!(
        "--kubeconfig={}",
        layout.certificates().kubeconfig("kubelet").display()
    ));
    kubelet.args(["--hostname-override=node0", &format!("--node-ip={NODE}")]);
    kubelet.arg(format!(
        "--root-dir={}",
        layout.folder.join("kubelet").display()
    ));
    kubelet.arg(format!(
        "--cert-dir={}",
        layout.folder.join("kubelet-certificates").display()
    ));
    layout.start("kubelet", &mut kubelet).map(drop)
}

/// The cgroup of the cluster in each hierarchy. Version 2 has one hierarchy, version 1 has one per
/// controller.
pub fn cgroups(layout: &Layout) -> Vec<PathBuf> {
    let root = Path::new(CGROUPS);
    if root.join("cgroup.controllers").exists() {
        return vec![root.join(layout.cgroup())];
    }
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten();
    let folders = hierarchies.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .map(|entry| entry.path().join(layout.cgroup()))
        .collect()
}

fn create_cgroups(layout: &Layout) -> Result<(), DaemonError> {
    cgroups(layout)
        .into_iter()
        .try_for_each(|path| match fs::create_dir(&path) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                Err(DaemonError::Configuration { path, source })
            }
            _ => Ok(()),
        })
}

fn configuration(layout: &Layout) -> String {
    let certificates = layout.certificates();
    let (authority, certificate, key) = (
        certificates.certificate("ca"),
        certificates.certificate("kubelet"),
        certificates.key("kubelet"),
    );
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\n\
         kind: KubeletConfiguration\n\
         address: {NODE}\n\
         authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: '{authority}'}}}}\n\
         authorization: {{mode: Webhook}}\n\
         tlsCertFile: '{certificate}'\n\
         tlsPrivateKeyFile: '{key}'\n\
         containerRuntimeEndpoint: 'unix://{socket}'\n\
         cgroupDriver: cgroupfs\n\
         cgroupRoot: /{cgroup}\n\
         clusterDNS: ['{DNS}']\n\
         clusterDomain: cluster.local\n\
         resolvConf: ''\n\
         failSwapOn: false\n\
         oomScoreAdj: 0\n\
         syncFrequency: 10s\n\
         imageGCHighThresholdPercent: 100\n\
         evictionHard: {{memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}}\n\
         podLogsDir: '{run}/pod-logs'\n\
         volumePluginDir: '{run}/volume-plugins'\n",
        authority = authority.display(),
        certificate = certificate.display(),
        key = key.display(),
        socket = containerd::socket(layout).display(),
        cgroup = layout.cgroup(),
        run = layout.folder.path().display(),
    )
}
