//! Generates load with siege.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Users who send requests one after another until they are stopped.
pub struct Siege {
    siege: Option<Child>,
    // Siege writes its configuration into the home folder of the user.
    _home: TempDir,
}

/// The requests that siege has counted.
#[derive(Debug)]
pub struct Count {
    /// Requests that were answered successfully.
    pub answered: u64,
    /// Requests that were not answered successfully.
    pub failed: u64,
}

impl Siege {
    /// Starts a number of users who send a request again and again. Each of them pauses for up to
    /// `pause` before a request.
    pub fn begin(users: u32, pause: Duration, request: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut siege = Command::new("siege");
        siege.env("HOME", home.path());
        siege.args([
            "--json-output",
            "--quiet",
            "--no-parser",
            "--content-type=application/json",
        ]);
        siege.arg(format!("--concurrent={users}"));
        siege.arg(format!("--delay={}", pause.as_secs_f32()));
        // Longer than every claim; the load is stopped before.
        siege.args(["--time=10M", request]);
        siege.stdout(Stdio::piped()).stderr(Stdio::null());
        Self {
            siege: Some(siege.spawn().expect("siege is installed")),
            _home: home,
        }
    }

    /// Stops the users and returns the counts.
    pub fn end(mut self) -> Count {
        let siege = self.siege.take().expect("it ends once");
        interrupt(&siege);
        let output = siege.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let begins = said.find('{').unwrap_or_default();
        let count: Value =
            serde_json::from_str(&said[begins..]).unwrap_or_else(|error| panic!("{error}: {said}"));
        let number = |name: &str| count[name].as_u64().unwrap_or_else(|| panic!("{said}"));
        let (transactions, succeeded) = (number("transactions"), number("successful_transactions"));
        Count {
            answered: succeeded,
            failed: number("failed_transactions") + transactions.saturating_sub(succeeded),
        }
    }
}

impl Drop for Siege {
    fn drop(&mut self) {
        if let Some(mut siege) = self.siege.take() {
            interrupt(&siege);
            // It was told to end, and a failure could not be reported.
            let _ = siege.wait();
        }
    }
}

fn interrupt(siege: &Child) {
    let pid = Pid::from_raw(siege.id().cast_signed());
    kill(pid, Signal::SIGINT).unwrap();
}
