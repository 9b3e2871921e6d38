//! Removes a cluster in whatever state it is: its processes, mounts, cgroups, network and files, in
//! this order.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster_error::ClusterError;
use crate::command::run;
use crate::containerd;
use crate::daemon::{Daemon, stop_recorded};
use crate::deadline::until;
use crate::kernel;
use crate::kubelet;
use crate::layout::Layout;
use crate::network;
use crate::postgres;

/// How long a process may take to end by itself. It need not save anything, because its data is
/// deleted.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// How long killed processes and busy cgroups may take to disappear.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// The folder in which containerd and CNI leave files for each container, whatever their
/// configuration says.
const NETWORK_RESULTS: &str = "/var/lib/cni/results";

/// The folder in which kubelet creates links to the logs of containers, whatever its configuration
/// says.
const CONTAINER_LOGS: &str = "/var/log/containers";

/// The folder with the sockets of containers' shims, whatever containerd's configuration says.
const SHIM_SOCKETS: &str = "/run/containerd/s";

/// The socket on which kubelet listens for device plug-ins, whatever its configuration says. It is
/// not removed by kubelet.
const PLUGIN_SOCKET: &str = "/var/lib/kubelet/device-plugins/kubelet.sock";

/// The folders that are created for these files, innermost first.
const SYSTEM_FOLDERS: &[&str] = &[
    NETWORK_RESULTS,
    "/var/lib/cni",
    CONTAINER_LOGS,
    SHIM_SOCKETS,
    "/run/containerd",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
];

/// Removes every trace of the cluster. Succeeds if it never existed.
pub(crate) fn remove(layout: &Layout) -> Result<(), ClusterError> {
    if !layout.folder.path().exists() && !network::exists(&layout.name) {
        return Ok(());
    }
    end_pods(layout)?;
    stop_recorded(&layout.folder, STOP_GRACE)?;
    end_remaining(layout)?;
    unmount_below(layout.folder.path())?;
    remove_cgroups(layout)?;
    network::remove(&layout.name)?;
    postgres::remove_data(&layout.folder)?;
    remove_strays(layout)?;
    kernel::restore_settings(layout)
        .map_err(|source| folder_error(Path::new("/proc/sys"), source))?;
    layout
        .folder
        .remove()
        .map_err(|source| folder_error(layout.folder.path(), source))
}

/// Stops kubelet first and then the containers in an orderly way, so that their shims remove their
/// sockets.
fn end_pods(layout: &Layout) -> Result<(), ClusterError> {
    let recorded = Daemon::read_recorded(&layout.folder)?;
    let running = |name: &str| {
        recorded
            .iter()
            .find(|daemon| daemon.name() == name && daemon.is_running())
    };
    if let Some(kubelet) = running("kubelet") {
        kubelet.stop(STOP_GRACE)?;
    }
    if running("containerd").is_some() {
        // Processes that do not end this way are killed with their network namespace or cgroup.
        let _ = containerd::end_containers(layout);
    }
    Ok(())
}

/// Kills the processes that are left in the cluster's network namespace and cgroups. All of them
/// belong to the cluster.
fn end_remaining(layout: &Layout) -> Result<(), ClusterError> {
    until("the end of all processes", GONE_WITHIN, || {
        let mut remaining =
            network::list_processes(&layout.name).map_err(|error| error.to_string())?;
        remaining.extend(
            kubelet::cgroups(layout)
                .iter()
                .flat_map(|cgroup| list_processes_in(cgroup)),
        );
        if remaining.is_empty() {
            return Ok(());
        }
        for pid in &remaining {
            // It may have ended in the meantime; the next poll shows that.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        Err(format!("still there: {remaining:?}"))
    })?;
    Ok(())
}

fn list_processes_in(cgroup: &Path) -> Vec<i32> {
    let own = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let mut pids: Vec<i32> = own.lines().filter_map(|line| line.parse().ok()).collect();
    pids.extend(
        list_folders_in(cgroup)
            .iter()
            .flat_map(|child| list_processes_in(child)),
    );
    pids
}

fn unmount_below(folder: &Path) -> Result<(), ClusterError> {
    let prefix = format!("{}/", folder.display());
    let table =
        fs::read_to_string("/proc/self/mounts").map_err(|source| folder_error(folder, source))?;
    let mounts = table
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|point| point.starts_with(&prefix));
    let mut mounts: Vec<&str> = mounts.collect();
    mounts.reverse();
    for mount in mounts {
        run(Command::new("umount").args(["--lazy", mount]))?;
    }
    Ok(())
}

fn remove_cgroups(layout: &Layout) -> Result<(), ClusterError> {
    for cgroup in kubelet::cgroups(layout) {
        until("the end of all cgroups", GONE_WITHIN, || {
            remove_cgroup(&cgroup).map_err(|error| format!("{}: {error}", cgroup.display()))
        })?;
    }
    Ok(())
}

/// Removes a cgroup after the cgroups in it. The files that it seems to contain belong to the
/// kernel.
fn remove_cgroup(cgroup: &Path) -> io::Result<()> {
    list_folders_in(cgroup)
        .iter()
        .try_for_each(|child| remove_cgroup(child))?;
    ignore_missing(fs::remove_dir(cgroup))
}

/// Removes what containers left outside of the run folder, and the system folders for it that are
/// empty then.
fn remove_strays(layout: &Layout) -> Result<(), ClusterError> {
    for result in list_network_results(layout) {
        remove_file(&result)?;
    }
    for link in list_entries(Path::new(CONTAINER_LOGS)) {
        if fs::read_link(&link).is_ok_and(|target| target.starts_with(layout.folder.path())) {
            remove_file(&link)?;
        }
    }
    let sockets = list_entries(Path::new(SHIM_SOCKETS))
        .into_iter()
        .chain([PathBuf::from(PLUGIN_SOCKET)]);
    // A socket on which nobody listens is of no use to anybody, whoever created it.
    for socket in sockets.filter(|socket| UnixStream::connect(socket).is_err()) {
        remove_file(&socket)?;
    }
    for folder in SYSTEM_FOLDERS {
        // The folder stays if something else, such as another cluster, has files in it.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// The files that CNI wrote about our containers. Those about addresses contain the name of our
/// network, and those about loopback the id of the container.
fn list_network_results(layout: &Layout) -> Vec<PathBuf> {
    let all = list_entries(Path::new(NETWORK_RESULTS));
    let prefix = format!("{}-", containerd::network_name(layout));
    let container = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix(&prefix)?;
        Some(name.split('-').next()?.to_owned())
    };
    let containers: Vec<String> = all.iter().filter_map(container).collect();
    let is_ours = |path: &PathBuf| {
        containers
            .iter()
            .any(|id| path.to_string_lossy().contains(id.as_str()))
    };
    all.into_iter().filter(is_ours).collect()
}

fn remove_file(path: &Path) -> Result<(), ClusterError> {
    ignore_missing(fs::remove_file(path)).map_err(|source| folder_error(path, source))
}

fn list_folders_in(folder: &Path) -> Vec<PathBuf> {
    list_entries(folder)
        .into_iter()
        .filter(|entry| entry.is_dir())
        .collect()
}

fn list_entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn folder_error(path: &Path, source: io::Error) -> ClusterError {
    ClusterError::Folder {
        path: path.to_path_buf(),
        source,
    }
}
