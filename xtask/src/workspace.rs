//! Information about this workspace from Cargo.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use innkeeper_cluster::command::read_output;
use serde_json::Value;

/// The output of `cargo metadata`.
pub struct Workspace {
    metadata: Value,
    packages: Vec<Package>,
}

/// A package of this workspace.
pub struct Package {
    /// Name of the package.
    pub name: String,
    /// Folder of the package.
    pub root: PathBuf,
    /// The dependencies of the package.
    pub dependencies: Vec<Dependency>,
}

/// A dependency of a package.
pub struct Dependency {
    /// Name of the dependency in Cargo.toml.
    pub name: String,
    /// Whether the dependency is only for tests.
    pub is_dev: bool,
}

impl Workspace {
    /// Reads the workspace with `cargo metadata`.
    pub fn load() -> Result<Self, Box<dyn Error>> {
        let mut cargo = cargo();
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&read_output(&mut cargo)?)?;
        let packages = items(&metadata["packages"]).map(package).collect();
        Ok(Self { metadata, packages })
    }

    /// The packages of the workspace.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The folder into which Cargo builds.
    pub fn target(&self) -> PathBuf {
        PathBuf::from(
            self.metadata["target_directory"]
                .as_str()
                .unwrap_or("target"),
        )
    }

    /// Names of the packages that have this feature.
    pub fn packages_with(&self, feature: &str) -> Vec<String> {
        let packages = items(&self.metadata["packages"]);
        let having = packages.filter(|package| package["features"].get(feature).is_some());
        having.map(|package| text(&package["name"])).collect()
    }
}

fn package(package: &Value) -> Package {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let dependencies = items(&package["dependencies"]).map(|it| Dependency {
        name: text(&it["name"]),
        is_dev: it["kind"] == "dev",
    });
    Package {
        name: text(&package["name"]),
        root: manifest.parent().map(Path::to_owned).unwrap_or_default(),
        dependencies: dependencies.collect(),
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A command for the Cargo that runs this chore.
pub fn cargo() -> Command {
    Command::new(env!("CARGO"))
}

/// Runs a command with its output on the terminal. If the command fails, the error names it.
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
