//! What Cargo knows of this workspace.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use innkeeper_cluster::command::read_output;
use serde_json::Value;

/// The answer of `cargo metadata`.
pub struct Workspace {
    metadata: Value,
}

impl Workspace {
    /// Asks Cargo.
    pub fn load() -> Result<Self, Box<dyn Error>> {
        let mut cargo = cargo();
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        Ok(Self {
            metadata: serde_json::from_str(&read_output(&mut cargo)?)?,
        })
    }

    /// The folder that Cargo builds into.
    pub fn target(&self) -> PathBuf {
        PathBuf::from(
            self.metadata["target_directory"]
                .as_str()
                .unwrap_or("target"),
        )
    }

    /// The names of the packages that have this feature.
    pub fn packages_with(&self, feature: &str) -> Vec<String> {
        let packages = self.metadata["packages"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let having = packages
            .iter()
            .filter(|package| package["features"].get(feature).is_some());
        having
            .filter_map(|package| package["name"].as_str().map(str::to_owned))
            .collect()
    }
}

/// Cargo itself, the one that runs this chore.
pub fn cargo() -> Command {
    Command::new(env!("CARGO"))
}

/// Runs a command whose output goes to the terminal; a failure is an error that names the command.
pub fn run_shown(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} ({status})", shown(command)).into())
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
