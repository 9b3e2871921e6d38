//! Reads and parses platform files; every fault names its file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use innkeeper_contracts::secret::masked;
use innkeeper_plan::{Executor, Facts, Refusals, ValidatedPlatform, expand, size};

use crate::exit::Failure;

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// Where a platform was read: a file, or standard input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin(PathBuf);

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Path::new(STANDARD_INPUT) {
            return formatter.write_str("standard input");
        }
        self.0.display().fmt(formatter)
    }
}

impl Origin {
    fn read(&self) -> io::Result<Vec<u8>> {
        if self.0 != Path::new(STANDARD_INPUT) {
            return fs::read(&self.0);
        }
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A platform and the file that describes it.
pub struct PlatformFile {
    origin: Origin,
    read: innkeeper_plan::PlatformFile,
}

impl PlatformFile {
    /// Where the platform was read.
    pub const fn origin(&self) -> &Origin {
        &self.origin
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

    /// The namespace in the file; empty if it names none.
    pub fn namespace(&self) -> &str {
        let metadata = &self.read.platform.metadata;
        metadata.namespace.as_deref().unwrap_or_default()
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
            let line = format!("warning: {}: {warning}", self.origin);
            eprintln!("{}", masked(&line));
        }
    }

    /// Warns on standard error if plain `kubectl apply` does not take the platform.
    pub fn warn_of_size(&self) {
        if self.read.needs_server_side() {
            eprintln!(
                "warning: {}: {} is too large for the copy that `kubectl apply` keeps in an annotation: use `kubectl apply --server-side`",
                self.origin,
                self.name()
            );
        }
    }

    /// What the platform has already, as far as the status in the file tells.
    pub fn facts(&self) -> Facts {
        Facts::of(&self.read.platform, &[])
    }

    /// Validates the platform as a whole for the executor that is to run it; for a cluster, also
    /// whether it is too large. The error names the file and the line of every fault.
    pub fn validate(&self, executor: &Executor) -> Result<ValidatedPlatform, String> {
        let platform = &self.read.platform;
        let validated = innkeeper_plan::validate(platform, executor).and_then(|validated| {
            if matches!(executor, Executor::Cluster(_)) {
                size::check(platform, &expand(&validated, executor, &self.facts()))?;
            }
            Ok(validated)
        });
        validated.map_err(|refusals| lines(&self.origin, &self.read.located(refusals)))
    }
}

/// Reads every platform of every file, and reports all faults at once.
pub fn read(paths: &[PathBuf]) -> Result<Vec<PlatformFile>, Failure> {
    let (mut platforms, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match read_one(&Origin(path.clone())) {
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

/// Refuses two descriptions of one platform. What makes platforms different is their `identity`.
pub fn refuse_twins<'a, I: Ord>(
    platforms: &'a [PlatformFile],
    identity: impl Fn(&'a PlatformFile) -> I,
) -> Result<(), Failure> {
    let mut first = BTreeMap::new();
    for platform in platforms {
        if let Some(twin) = first.insert(identity(platform), platform) {
            let (name, one, other) = (platform.name(), twin.origin(), platform.origin());
            return Err(Failure::Refused(format!(
                "the platform {name} is described twice, in {one} and in {other}: remove one, or give it another name"
            )));
        }
    }
    Ok(())
}

fn read_one(origin: &Origin) -> Result<Vec<PlatformFile>, String> {
    let text = origin
        .read()
        .map_err(|error| error.to_string())
        .and_then(decoded)
        .map_err(|error| format!("cannot read {origin}: {error}"))?;
    let contents = innkeeper_plan::read(&text).map_err(|refusals| lines(origin, &refusals))?;
    for other in contents.others {
        tracing::warn!("{origin}: {other} is left alone: only kubectl reads it");
    }
    let platforms = contents.platforms.into_iter().map(|read| PlatformFile {
        origin: origin.clone(),
        read,
    });
    let platforms: Vec<_> = platforms.collect();
    for platform in platforms.iter().filter(|it| it.read.has_status()) {
        let name = platform.name();
        tracing::warn!("{origin}: of the status of {name} only image and topic count");
    }
    Ok(platforms)
}

/// The text of a file in UTF-8, without the byte order mark that some editors put before it.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    // A file begins with a letter, a comment or the like: in UTF-16 one of two bytes is 0.
    if matches!(
        bytes[..],
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..]
    ) {
        return Err("it is UTF-16: save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("it is not UTF-8, from byte {} on: save it as UTF-8", at + 1)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// Refusals, one per line, each with its file.
fn lines(origin: &Origin, refusals: &Refusals) -> String {
    let lines = refusals
        .0
        .iter()
        .map(|refusal| format!("{origin}: {refusal}"));
    lines.collect::<Vec<_>>().join("\n")
}
