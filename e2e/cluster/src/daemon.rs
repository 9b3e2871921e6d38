//! Processes that outlive the process that started them. They are recorded, so that a later process
//! can stop them, and only them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::command::{self, read_tail};
use crate::deadline::until;
use crate::folders::RunFolder;

/// The file in a run folder that lists its processes in the order in which they were started.
const RECORDS: &str = "processes";

/// Why a process could not be started, recorded or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The program could not be started.
    #[error("cannot start `{command}`")]
    Start {
        /// The program and its arguments, as one line.
        command: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The list of processes could not be read or written.
    #[error("cannot use the list of processes {path}")]
    Records {
        /// Path of the list.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The process has ended although it should run.
    #[error("{name} ended early; the last lines of {}:\n{tail}", .log.display())]
    Ended {
        /// Name of the process.
        name: String,
        /// Log file of the process.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The process did not become ready in time.
    #[error("{name} did not become ready ({last}); the last lines of {}:\n{tail}", .log.display())]
    Unready {
        /// Name of the process.
        name: String,
        /// The result of the last check.
        last: String,
        /// Log file of the process.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A configuration file or folder of the process could not be written.
    #[error("cannot write {path}")]
    Configuration {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The process still exists after it was killed.
    #[error("process {pid} ({name}) does not end")]
    Unstoppable {
        /// Name of the process.
        name: String,
        pid: i32,
    },
}

/// A process, identified by its id and its start time. Ids are reused, but such pairs are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    name: String,
    pid: i32,
    started_ticks: u64,
    stop_signal: Signal,
}

impl Daemon {
    /// Starts a command in its own process group, with its output in a log of that name in the
    /// folder, and records it.
    pub fn start(
        folder: &RunFolder,
        name: &str,
        command: &mut Command,
    ) -> Result<Self, DaemonError> {
        Self::start_stopped_by(Signal::SIGTERM, folder, name, command)
    }

    /// The same as [`Daemon::start`], for a process that is best stopped by another signal than
    /// SIGTERM.
    pub fn start_stopped_by(
        stop_signal: Signal,
        folder: &RunFolder,
        name: &str,
        command: &mut Command,
    ) -> Result<Self, DaemonError> {
        let start_error = |source| DaemonError::Start {
            command: String::new(),
            source,
        };
        let (out, err) = command::log_streams(&folder.log(name)).map_err(start_error)?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn();
        let child = child.map_err(|source| DaemonError::Start {
            command: command::line(command),
            source,
        })?;
        let pid = i32::try_from(child.id()).expect("a process number fits pid_t");
        let started_ticks = read_stat(pid).map_or(0, |seen| seen.started_ticks);
        let daemon = Self {
            name: name.to_owned(),
            pid,
            started_ticks,
            stop_signal,
        };
        daemon.record(folder)?;
        Ok(daemon)
    }

    /// Reads the processes in the list of a folder, in the order of their starts, whether or not
    /// they still run.
    pub fn read_recorded(folder: &RunFolder) -> Result<Vec<Self>, DaemonError> {
        let path = folder.join(RECORDS);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(Self::parse).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(DaemonError::Records { path, source }),
        }
    }

    /// The name under which the process was recorded.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether this process, and not another one with the same id, still runs.
    pub fn is_running(&self) -> bool {
        read_stat(self.pid)
            .is_some_and(|seen| seen.started_ticks == self.started_ticks && !seen.is_zombie)
    }

    /// Polls `look` until the process is ready. If it ends or takes too long, the error contains
    /// the last lines of its log.
    pub fn await_ready(
        &self,
        folder: &RunFolder,
        within: Duration,
        mut look: impl FnMut() -> Result<(), String>,
    ) -> Result<(), DaemonError> {
        let outcome = until(&self.name, within, || match look() {
            Ok(()) => Ok(true),
            Err(_) if !self.is_running() => Ok(false),
            Err(seen) => Err(seen),
        });
        let (name, log) = (self.name.clone(), folder.log(&self.name));
        let tail = read_tail(&log);
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(DaemonError::Ended { name, log, tail }),
            Err(overdue) => Err(DaemonError::Unready {
                name,
                last: overdue.last,
                log,
                tail,
            }),
        }
    }

    /// Sends the process its stop signal and, after `grace`, SIGKILL.
    pub fn stop(&self, grace: Duration) -> Result<(), DaemonError> {
        if self.end(self.stop_signal, grace) || self.end(Signal::SIGKILL, Duration::from_secs(10)) {
            return Ok(());
        }
        Err(DaemonError::Unstoppable {
            name: self.name.clone(),
            pid: self.pid,
        })
    }

    fn end(&self, signal: Signal, within: Duration) -> bool {
        if self.is_running() && kill(Pid::from_raw(self.pid), signal) == Err(Errno::EPERM) {
            return false;
        }
        let ended = until("the end", within, || {
            if self.is_running() {
                Err(String::new())
            } else {
                Ok(())
            }
        });
        // Only a child of this process can be a zombie here; for any other process the call fails
        // harmlessly with ECHILD.
        let _ = waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG));
        ended.is_ok()
    }

    fn record(&self, folder: &RunFolder) -> Result<(), DaemonError> {
        let path = folder.join(RECORDS);
        let Self {
            name,
            pid,
            started_ticks,
            stop_signal,
        } = self;
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{name} {pid} {started_ticks} {stop_signal}"))
            .map_err(|source| DaemonError::Records { path, source })
    }

    fn parse(line: &str) -> Option<Self> {
        let [name, pid, started_ticks, stop_signal] =
            line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            name: name.to_owned(),
            pid: pid.parse().ok()?,
            started_ticks: started_ticks.parse().ok()?,
            stop_signal: stop_signal.parse().ok()?,
        })
    }
}

/// Stops all processes in the list of a folder. All get their stop signal immediately, the last
/// started one first, and each has `grace` to end.
pub fn stop_recorded(folder: &RunFolder, grace: Duration) -> Result<(), DaemonError> {
    let recorded = Daemon::read_recorded(folder)?;
    for daemon in recorded.iter().rev().filter(|daemon| daemon.is_running()) {
        // Whether the signal had an effect is checked below.
        let _ = kill(Pid::from_raw(daemon.pid), daemon.stop_signal);
    }
    recorded
        .iter()
        .rev()
        .try_for_each(|daemon| daemon.stop(grace))
}

/// What `/proc` says about a process.
struct ProcessStat {
    started_ticks: u64,
    is_zombie: bool,
}

/// Reads the state and the start time of a process: fields 3 and 22 of `stat` in proc(5), counted
/// after the name in parentheses.
fn read_stat(pid: i32) -> Option<ProcessStat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(ProcessStat {
        is_zombie: *fields.first()? == "Z",
        started_ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping(folder: &RunFolder) -> Daemon {
        folder.create().unwrap();
        Daemon::start(folder, "sleep", Command::new("sleep").arg("600")).unwrap()
    }

    #[test]
    fn a_recorded_process_is_stopped_by_its_record() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::at(dir.path());
        let daemon = sleeping(&folder);
        assert_eq!(
            Daemon::read_recorded(&folder).unwrap(),
            std::slice::from_ref(&daemon)
        );
        assert!(daemon.is_running());
        stop_recorded(&folder, Duration::from_secs(5)).unwrap();
        assert!(!daemon.is_running());
    }

    #[test]
    fn a_stranger_with_the_same_number_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::at(dir.path());
        let daemon = sleeping(&folder);
        let stale = Daemon {
            started_ticks: daemon.started_ticks - 1,
            ..daemon.clone()
        };
        assert!(!stale.is_running());
        stale.stop(Duration::ZERO).unwrap();
        assert!(daemon.is_running());
        daemon.stop(Duration::from_secs(5)).unwrap();
    }
}
