//! The network namespace in which a process runs.

use std::ffi::OsStr;
use std::fs::File;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// A network namespace: the host's, or one that was created for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkNamespace {
    /// The host's own network.
    Host,
    /// The network namespace with this name.
    Named(String),
}

impl NetworkNamespace {
    /// A command for a program in this network namespace, to which arguments can be added.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Host => Command::new(program),
            Self::Named(name) => {
                // `ip netns exec` would not do: it remounts /sys, and then kubelet finds no
                // cgroups.
                let mut command = Command::new("nsenter");
                command
                    .arg(format!("--net=/run/netns/{name}"))
                    .arg("--")
                    .arg(program);
                command
            }
        }
    }

    /// The same as [`NetworkNamespace::command`], as another user, because `PostgreSQL` refuses to
    /// run as root.
    pub fn command_as(&self, user: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("setpriv");
        command
            .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
            .arg(program);
        command
    }

    /// Does some work, such as opening a connection, on a thread in this network namespace.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, String> {
        let Self::Named(name) = self else {
            return Ok(work());
        };
        let namespace =
            File::open(format!("/run/netns/{name}")).map_err(|error| format!("{name}: {error}"))?;
        let entered = || setns(&namespace, CloneFlags::CLONE_NEWNET).map(|()| work());
        let outcome = thread::scope(|scope| scope.spawn(entered).join());
        match outcome {
            Ok(result) => result.map_err(|error| format!("cannot enter {name}: {error}")),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
