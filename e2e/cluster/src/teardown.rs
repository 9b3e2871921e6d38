//! The end of a cluster: its processes, mounts, cgroups, network and files, in this order, whatever state it is in.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::ClusterError;
use crate::command::run;
use crate::containerd;
use crate::daemon::{Daemon, stop_recorded};
use crate::deadline::until;
use crate::kernel;
use crate::kubelet;
use crate::layout::Layout;
use crate::network;
use crate::postgres;

/// How long a process may take to end by itself: what it would save is thrown away.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// How long killed processes and busy cgroups may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Where containerd and CNI leave files for each container, whatever their configuration says.
const NETWORK_RESULTS: &str = "/var/lib/cni/results";

/// Where kubelet links the logs of containers, whatever its configuration says.
const CONTAINER_LOGS: &str = "/var/log/containers";

/// Where the shims of containers listen, whatever containerd's configuration says.
const SHIM_SOCKETS: &str = "/run/containerd/s";

/// Where kubelet listens for device plug-ins, whatever its configuration says, and what it leaves there.
const PLUGIN_SOCKET: &str = "/var/lib/kubelet/device-plugins/kubelet.sock";

/// The folders that they make for that, innermost first.
const SYSTEM_FOLDERS: &[&str] = &[
    NETWORK_RESULTS,
    "/var/lib/cni",
    CONTAINER_LOGS,
    SHIM_SOCKETS,
    "/run/containerd",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
];

/// Removes every trace of the cluster; one that never was is fine.
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

/// Ends kubelet, then the containers in an orderly way, so that shims take their sockets with them.
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
        // What does not end this way is ended with its network namespace or cgroup.
        let _ = containerd::end_containers(layout);
    }
    Ok(())
}

/// Kills what is left in the cluster's network namespace and cgroups: all of it is ours by construction.
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
            // It may have ended meanwhile; the next look tells.
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

/// Removes a cgroup after those in it: the files that it seems to have are the kernel's.
fn remove_cgroup(cgroup: &Path) -> io::Result<()> {
    list_folders_in(cgroup)
        .iter()
        .try_for_each(|child| remove_cgroup(child))?;
    ignore_missing(fs::remove_dir(cgroup))
}

/// Removes what containers left outside of the run folder, and the system's folders for it that are empty then.
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
    // One that nobody listens on any more is of no use to anybody, whoever made it.
    for socket in sockets.filter(|socket| UnixStream::connect(socket).is_err()) {
        remove_file(&socket)?;
    }
    for folder in SYSTEM_FOLDERS {
        // It stays if something else, such as another cluster, has files there.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// What CNI noted of our containers: by our network's name for their addresses, by the container's for their loopback.
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
