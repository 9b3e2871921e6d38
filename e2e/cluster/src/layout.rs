//! What the components of a cluster share: its run folder, network, programs and certificates.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::certificates::Certificates;
use crate::daemon::{Daemon, DaemonError};
use crate::folders::RunFolder;
use crate::network::{self, NODE};
use crate::network_namespace::NetworkNamespace;
use crate::parts::Programs;

/// The names and paths by which the components of a cluster find each other.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Name of the cluster.
    pub name: String,
    /// The folder for all files of the cluster.
    pub folder: RunFolder,
    /// The network namespace of the cluster.
    pub network: NetworkNamespace,
    /// The programs that the cluster runs.
    pub programs: Programs,
}

impl Layout {
    /// The layout of the cluster with this name, whether or not it runs.
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: RunFolder::of("cluster", name),
            network: network::namespace(name),
            programs: Programs::cached(),
        }
    }

    /// The certificates and kubeconfigs of the cluster.
    pub fn certificates(&self) -> Certificates {
        Certificates::at(&self.folder.join("certificates"))
    }

    /// Path of the kubeconfig with which an administrator reaches the cluster.
    pub fn kubeconfig(&self) -> PathBuf {
        self.certificates().kubeconfig("admin")
    }

    /// A command for kubectl or a component of Kubernetes in the cluster's network.
    pub fn kubernetes(&self, component: &str) -> Command {
        let mut command = self.network.command(&self.programs.kubernetes);
        command.arg(component);
        command
    }

    /// A command for kubectl, as administrator.
    pub fn kubectl(&self) -> Command {
        let mut kubectl = self.kubernetes("kubectl");
        kubectl.env("KUBECONFIG", self.kubeconfig());
        kubectl
    }

    /// Starts a process of the cluster and records it.
    pub fn start(&self, name: &str, command: &mut Command) -> Result<Daemon, DaemonError> {
        Daemon::start(&self.folder, name, command)
    }

    /// Writes a configuration file into the run folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, DaemonError> {
        let path = self.folder.join(name);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(DaemonError::Configuration { path, source }),
        }
    }

    /// The cgroup that contains all pods of the cluster.
    pub fn cgroup(&self) -> String {
        format!("innkeeper-{}", self.name)
    }

    /// Checks that an HTTP GET at this port of the node is answered with 200.
    pub fn check_http(&self, port: u16, path: &str) -> Result<(), String> {
        self.network
            .within(|| http_get(SocketAddr::from((NODE, port)), path))?
    }
}

fn http_get(address: SocketAddr, path: &str) -> Result<(), String> {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;
    let exchange = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match exchange() {
        Ok(answer) if answer.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(answer) => Err(answer),
        Err(error) => Err(format!("no answer at {address}{path}: {error}")),
    }
}
