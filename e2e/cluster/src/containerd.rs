//! Runs containerd with the CNI plug-ins, which run the containers of pods. It has its own state,
//! sockets and networks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::{CommandError, read_output, run};
use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::NODE_PODS;

/// The image of the container that holds a pod's namespaces.
pub const PAUSE_IMAGE: &str = "dev.local/pause:1";

/// The folder in which Debian installs the CNI plug-ins.
const CNI_PLUGINS: &str = "/usr/lib/cni";

/// Starts containerd and returns when it answers.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    layout.write("cni/10-innkeeper.conflist", &network_configuration(layout))?;
    let configuration = layout.write("containerd.toml", &configuration(layout))?;
    let mut containerd = layout.network.command("containerd");
    containerd.arg("--config").arg(configuration);
    let process = layout.start("containerd", &mut containerd)?;
    process.await_ready(&layout.folder, Duration::from_secs(30), || {
        run(ctr(layout).arg("version")).map_err(|error| error.to_string())
    })
}

/// Imports an image from an OCI archive into the cluster's node.
pub fn import_image(layout: &Layout, archive: &Path) -> Result<(), CommandError> {
    run(ctr(layout).args(["images", "import"]).arg(archive))
}

/// Ends all containers, including those of pods' namespaces, and their shims. kubelet must have
/// ended before, because it would start them again.
pub fn end_containers(layout: &Layout) -> Result<(), CommandError> {
    let tasks = read_output(ctr(layout).args(["tasks", "list", "--quiet"]))?;
    let tasks: Vec<&str> = tasks.lines().collect();
    if tasks.is_empty() {
        return Ok(());
    }
    run(ctr(layout).args(["tasks", "delete", "--force"]).args(tasks))
}

/// Path of the socket for kubelet and clients.
pub fn socket(layout: &Layout) -> PathBuf {
    layout.folder.join("containerd.sock")
}

/// Name of the CNI network, which begins the names of the files that CNI leaves for each container.
pub fn network_name(layout: &Layout) -> String {
    format!("innkeeper-{}", layout.name)
}

fn ctr(layout: &Layout) -> Command {
    let mut ctr = layout.network.command("ctr");
    ctr.arg("--address")
        .arg(socket(layout))
        .args(["--namespace", "k8s.io"]);
    ctr
}

fn configuration(layout: &Layout) -> String {
    let run = layout.folder.path().display();
    let socket = socket(layout).display().to_string();
    // Without CAP_SYS_RESOURCE runc cannot lower the OOM score, and fails with "can't get final
    // child's PID from pipe".
    format!(
        r#"version = 2
root = "{run}/containerd/root"
state = "{run}/containerd/state"
oom_score = 0

[grpc]
address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
disable_tcp_service = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{run}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "{run}/runc"
SystemdCgroup = false
"#
    )
}

fn network_configuration(layout: &Layout) -> String {
    let (name, data) = (
        network_name(layout),
        layout.folder.join("cni-addresses").display().to_string(),
    );
    format!(
        r#"{{
  "cniVersion": "0.4.0",
  "name": "{name}",
  "plugins": [
    {{
      "type": "bridge",
      "bridge": "pods0",
      "isGateway": true,
      "hairpinMode": true,
      "ipam": {{
        "type": "host-local",
        "dataDir": "{data}",
        "ranges": [[{{"subnet": "{NODE_PODS}"}}]],
        "routes": [{{"dst": "0.0.0.0/0"}}]
      }}
    }},
    {{"type": "portmap", "capabilities": {{"portMappings": true}}}}
  ]
}}
"#
    )
}
