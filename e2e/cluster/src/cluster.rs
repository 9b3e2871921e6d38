//! A whole cluster: starts it, finds it again, and removes it.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use innkeeper_image::Image;

pub use crate::cluster_error::ClusterError;
use crate::command::{read_output, run};
use crate::daemon::Daemon;
use crate::deadline::until;
use crate::kafka::{Kafka, Listen};
use crate::layout::Layout;
use crate::network::{self, NODE};
use crate::parts::Programs;
use crate::postgres::{ADMINISTRATOR, PASSWORD, Postgres};
use crate::progress::Progress;
use crate::{
    apiserver, containerd, controllers, dns, etcd, kernel, kubelet, metrics, proxy, teardown,
};

/// Kafka's port for clients in the network namespace and in pods.
const KAFKA_PORT: u16 = 9092;

/// The port of `PostgreSQL` for clients in the network namespace and in pods.
const POSTGRES_PORT: u16 = 5432;

/// How long the node may take to become Ready after its components have started.
const NODE_READY_WITHIN: Duration = Duration::from_secs(90);

/// The file that exists once everything has started.
const COMPLETE: &str = "complete";

#[derive(Debug, Clone)]
pub struct Cluster {
    layout: Layout,
}

/// One process of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessState {
    /// Name of the process.
    pub name: String,
    pub pid: i32,
    /// Whether the process runs.
    pub is_running: bool,
}

impl Cluster {
    /// Returns the running cluster with this name, or creates it. A cluster that runs only partly
    /// is removed first.
    pub fn up(name: &str, progress: Progress) -> Result<Self, ClusterError> {
        check_name(name)?;
        if let Some(cluster) = Self::find(name)? {
            return Ok(cluster);
        }
        Self::check_possible()?;
        Programs::ensure(progress)?;
        Self::down(name)?;
        let cluster = Self {
            layout: Layout::of(name),
        };
        cluster.prepare()?;
        cluster.start_all(progress)?;
        progress.step("the node is Ready", || cluster.await_node())?;
        let complete = cluster.layout.folder.join(COMPLETE);
        fs::write(&complete, "").map_err(|source| ClusterError::Folder {
            path: complete,
            source,
        })?;
        Ok(cluster)
    }

    /// Checks whether this process may create a cluster at all. Call this before anything that
    /// takes long.
    pub fn check_possible() -> Result<(), ClusterError> {
        if nix::unistd::geteuid().is_root() {
            Ok(())
        } else {
            Err(ClusterError::NotRoot)
        }
    }

    /// The cluster with this name, if it was started completely and all of its processes run.
    pub fn find(name: &str) -> Result<Option<Self>, ClusterError> {
        let layout = Layout::of(name);
        let is_complete = layout.folder.join(COMPLETE).exists() && network::exists(name);
        let is_alive = Daemon::read_recorded(&layout.folder)?
            .iter()
            .all(Daemon::is_running);
        Ok((is_complete && is_alive).then_some(Self { layout }))
    }

    /// Stops every process of the cluster with this name and removes every trace of it. Succeeds if
    /// there is none.
    pub fn down(name: &str) -> Result<(), ClusterError> {
        check_name(name)?;
        teardown::remove(&Layout::of(name))
    }

    /// The processes of the cluster with this name; none if it was never started.
    pub fn list_processes(name: &str) -> Result<Vec<ProcessState>, ClusterError> {
        let recorded = Daemon::read_recorded(&Layout::of(name).folder)?;
        let state = |daemon: &Daemon| ProcessState {
            name: daemon.name().to_owned(),
            pid: daemon.pid(),
            is_running: daemon.is_running(),
        };
        Ok(recorded.iter().map(state).collect())
    }

    /// The administrator's kubeconfig. Its address is reachable only from inside the network
    /// namespace.
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// Address of Kafka for clients in the network namespace and in pods.
    pub fn kafka(&self) -> String {
        kafka_addresses().broker.to_string()
    }

    /// Address of `PostgreSQL` for clients in the network namespace and in pods.
    pub fn postgres(&self) -> SocketAddr {
        SocketAddr::from((NODE, POSTGRES_PORT))
    }

    /// Connection string of the administrator of `PostgreSQL`.
    pub fn postgres_url(&self) -> String {
        format!(
            "postgres://{ADMINISTRATOR}:{PASSWORD}@{}/{ADMINISTRATOR}",
            self.postgres()
        )
    }

    /// Address of the cluster's DNS server.
    pub fn dns(&self) -> SocketAddr {
        SocketAddr::from((network::DNS, 53))
    }

    /// A command for any program in the cluster's network, with its kubeconfig.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.layout.network.command(program);
        command.env("KUBECONFIG", self.kubeconfig());
        command
    }

    /// A command for kubectl in the cluster's version, as administrator.
    pub fn kubectl(&self) -> Command {
        self.layout.kubectl()
    }

    /// A command for Helm, as administrator.
    pub fn helm(&self) -> Command {
        self.command(&self.layout.programs.helm)
    }

    /// Imports the image in this OCI archive into the node, so that pods can start from it without
    /// a registry.
    pub fn import_image(&self, archive: &Path) -> Result<(), ClusterError> {
        Ok(containerd::import_image(&self.layout, archive)?)
    }

    fn prepare(&self) -> Result<(), ClusterError> {
        let folder = &self.layout.folder;
        let prepared = folder
            .create()
            .and_then(|()| kernel::keep_settings(&self.layout));
        let path = folder.path().to_path_buf();
        prepared.map_err(|source| ClusterError::Folder { path, source })?;
        network::create(&self.layout.name)?;
        Ok(self.layout.certificates().create()?)
    }

    /// Starts Kafka and `PostgreSQL` in parallel with Kubernetes, because each of them mostly
    /// waits.
    fn start_all(&self, progress: Progress) -> Result<(), ClusterError> {
        thread::scope(|scope| {
            let kafka = scope.spawn(|| progress.step("Kafka answers", || self.start_kafka()));
            let postgres =
                scope.spawn(|| progress.step("PostgreSQL answers", || self.start_postgres()));
            let kubernetes = self.start_kubernetes(progress);
            for other in [kafka, postgres] {
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            kubernetes
        })
    }

    fn start_kafka(&self) -> Result<(), ClusterError> {
        Kafka::start(&self.layout.folder, &self.layout.network, kafka_addresses())?;
        Ok(())
    }

    fn start_postgres(&self) -> Result<(), ClusterError> {
        Postgres::start(&self.layout.folder, &self.layout.network, self.postgres())?;
        Ok(())
    }

    fn start_kubernetes(&self, progress: Progress) -> Result<(), ClusterError> {
        let layout = &self.layout;
        progress.step("etcd answers", || etcd::start(layout))?;
        progress.step("the API server is ready", || apiserver::start(layout))?;
        controllers::start(layout)?;
        progress.step("containerd answers", || self.start_containerd())?;
        kubelet::start(layout)?;
        progress.step("Services have addresses", || proxy::start(layout))?;
        progress.step("DNS answers", || self.start_dns())?;
        metrics::start(layout)?;
        self.apply("metrics-server.yaml", &metrics::manifest())
    }

    fn start_containerd(&self) -> Result<(), ClusterError> {
        containerd::start(&self.layout)?;
        let archive = self.layout.folder.join("pause.tar");
        Image::of_program(
            containerd::PAUSE_IMAGE,
            &self.layout.programs.pause,
            "/pause",
        )?
        .write(&archive)?;
        self.import_image(&archive)
    }

    fn start_dns(&self) -> Result<(), ClusterError> {
        self.apply("dns.yaml", &dns::manifest())?;
        Ok(dns::start(&self.layout)?)
    }

    fn apply(&self, name: &str, manifest: &str) -> Result<(), ClusterError> {
        let path = self.layout.write(name, manifest)?;
        Ok(run(self.kubectl().args(["apply", "--filename"]).arg(path))?)
    }

    /// Waits for a Ready node and for the service account that pods run under, which show that all
    /// controllers work.
    fn await_node(&self) -> Result<(), ClusterError> {
        let condition = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
        until("a Ready node", NODE_READY_WITHIN, || {
            self.ask(&["get", "node", "node0", "--output", condition])
                .and_then(|status| match status.as_str() {
                    "True" => Ok(()),
                    _ => Err(format!("the node says Ready: {status}")),
                })
        })?;
        until("the default service account", NODE_READY_WITHIN, || {
            self.ask(&["get", "serviceaccount", "default"])
        })?;
        Ok(())
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        read_output(self.kubectl().args(arguments)).map_err(|error| error.to_string())
    }
}

fn check_name(name: &str) -> Result<(), ClusterError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=30).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(ClusterError::Name(name.to_owned()))
}

fn kafka_addresses() -> Listen {
    Listen {
        broker: SocketAddr::from((NODE, KAFKA_PORT)),
        controller: SocketAddr::from((NODE, KAFKA_PORT + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_leave_its_folder_is_refused() {
        for name in ["", "..", "a/b", "A", &"a".repeat(31)] {
            assert!(
                matches!(Cluster::down(name), Err(ClusterError::Name(_))),
                "{name}"
            );
        }
        assert!(check_name("test-2").is_ok());
    }
}
