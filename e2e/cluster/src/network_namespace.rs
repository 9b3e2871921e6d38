//! Where a process runs: on the host, or inside a network namespace of ours.

use std::ffi::OsStr;
use std::fs::File;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// The network that a process sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkNamespace {
    /// The host's own network.
    Host,
    /// The named network namespace.
    Named(String),
}

impl NetworkNamespace {
    /// A command for this program, to which arguments can be added, that will run in this place.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Host => Command::new(program),
            Self::Named(name) => {
                // Not `ip netns exec`: that remounts /sys, and kubelet then finds no cgroups.
                let mut command = Command::new("nsenter");
                command
                    .arg(format!("--net=/run/netns/{name}"))
                    .arg("--")
                    .arg(program);
                command
            }
        }
    }

    /// As [`NetworkNamespace::command`], but as another user: what `PostgreSQL` wants of root.
    pub fn command_as(&self, user: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("setpriv");
        command
            .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
            .arg(program);
        command
    }

    /// Does some work, such as opening a connection, on a thread that sees this place's network.
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
