//! Reads and parses platform files; every fault names its file.

use std::path::{Path, PathBuf};

use innkeeper_contracts::secret::masked;
use innkeeper_plan::{Executor, Facts, Refusals, ValidatedPlatform};

use crate::exit::Failure;

/// A platform and the file that describes it.
pub struct PlatformFile {
    path: PathBuf,
    read: innkeeper_plan::PlatformFile,
}

impl PlatformFile {
    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the platform.
    pub fn name(&self) -> &str {
        self.read
            .platform
            .metadata
            .name
            .as_deref()
            .unwrap_or_default()
    }

    /// Sets the namespace of the platform, unless the file has one.
    pub fn default_namespace(&mut self, namespace: &str) {
        self.read
            .platform
            .metadata
            .namespace
            .get_or_insert_with(|| namespace.to_owned());
    }

    /// Warns on standard error about values that look like credentials.
    pub fn warn(&self) {
        for warning in self.read.credentials() {
            let line = format!("warning: {}: {warning}", self.path.display());
            eprintln!("{}", masked(&line));
        }
    }

    /// What the platform has already, as far as the status in the file tells.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.read.platform, &[])
    }

    /// Validates the platform as a whole for the executor that is to run it. The error names the
    /// file and the line of every fault.
    pub fn validate(&self, executor: &Executor) -> Result<ValidatedPlatform, String> {
        let validated = innkeeper_plan::validate(&self.read.platform, executor);
        validated.map_err(|refusals| lines(&self.path, &self.read.located(refusals)))
    }
}

/// Reads every platform of every file, and reports all faults at once.
pub fn read(paths: &[PathBuf]) -> Result<Vec<PlatformFile>, Failure> {
    let (mut platforms, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match read_one(path) {
            Ok(found) => platforms.extend(found),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(platforms)
    } else {
        Err(Failure::Refused(faults.join("\n")))
    }
}

fn read_one(path: &Path) -> Result<Vec<PlatformFile>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let contents = innkeeper_plan::read(&text).map_err(|refusals| lines(path, &refusals))?;
    for other in contents.others {
        tracing::warn!(
            "{}: {other} is left alone: only kubectl reads it",
            path.display()
        );
    }
    Ok(contents
        .platforms
        .into_iter()
        .map(|read| PlatformFile {
            path: path.to_owned(),
            read,
        })
        .collect())
}

/// Refusals, one per line, each with its file.
fn lines(path: &Path, refusals: &Refusals) -> String {
    let lines: Vec<String> = refusals
        .0
        .iter()
        .map(|refusal| format!("{}: {refusal}", path.display()))
        .collect();
    lines.join("\n")
}
