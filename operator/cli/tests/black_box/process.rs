//! A process of the real program, which is killed at the end of its test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

#[cfg(feature = "services")]
use innkeeper_cluster::network_namespace::NetworkNamespace;
use innkeeper_testkit::patience::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::process::ExitStatusExt;

const PROGRAM: &str = env!("CARGO_BIN_EXE_innkeeper");

/// How much of a log is shown when a test has failed.
const SHOWN_LINES: usize = 40;

/// A running `innkeeper`, with what it prints in files.
pub struct Innkeeper {
    child: Child,
    screen: PathBuf,
    log: PathBuf,
}

impl Innkeeper {
    /// Starts the program in a folder; `name` distinguishes its output files.
    pub fn spawn(folder: &Path, name: &str, arguments: &[&str]) -> Self {
        Self::spawn_as(Command::new(PROGRAM), folder, name, arguments)
    }

    /// The same in a network namespace.
    #[cfg(feature = "services")]
    pub fn spawn_within(
        network: &NetworkNamespace,
        folder: &Path,
        name: &str,
        arguments: &[&str],
    ) -> Self {
        Self::spawn_as(network.command(PROGRAM), folder, name, arguments)
    }

    fn spawn_as(mut program: Command, folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let screen = folder.join(format!("{name}.out"));
        let log = folder.join(format!("{name}.err"));
        let child = program
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&screen).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, screen, log }
    }

    /// What it printed for its user.
    pub fn screen(&self) -> String {
        fs::read_to_string(&self.screen).unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        until("the process has ended", async || {
            self.child
                .try_wait()
                .unwrap()
                .ok_or("it runs on".to_owned())
        })
        .await
    }

    /// Waits until it was killed by the signal that nothing can catch.
    pub async fn killed(&mut self) {
        let status = self.ended().await;
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{status}");
    }

    /// Tells it to end, and waits until it has, with exit code 0.
    pub async fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.ended().await;
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

impl Drop for Innkeeper {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
            eprintln!("--- {} ends with\n{last}", self.log.display());
        }
    }
}
