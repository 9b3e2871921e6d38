//! Load, made by siege.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Users who send requests one after another until told to stop.
pub struct Siege {
    siege: Option<Child>,
    // Siege puts its configuration into the user's home.
    _home: TempDir,
}

/// What siege has counted.
#[derive(Debug)]
pub struct Count {
    /// Requests that were answered with success.
    pub answered: u64,
    /// Requests that were not.
    pub failed: u64,
}

impl Siege {
    /// Lets this many users ask for this, each pausing for up to `pause` before a request.
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
        // Long enough for every claim: it ends when told to.
        siege.args(["--time=10M", request]);
        siege.stdout(Stdio::piped()).stderr(Stdio::null());
        Self {
            siege: Some(siege.spawn().expect("siege is installed")),
            _home: home,
        }
    }

    /// Stops, and says what was counted.
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
            // It was asked to end, and nobody is left to tell.
            let _ = siege.wait();
        }
    }
}

fn interrupt(siege: &Child) {
    let pid = Pid::from_raw(siege.id().cast_signed());
    kill(pid, Signal::SIGINT).unwrap();
}
