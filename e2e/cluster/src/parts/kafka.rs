//! Apache Kafka from Maven Central. The broker is a handful of jars, so no distribution is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Part, PartError, cache_error, debian};
use crate::command::run_logged;

/// Apache Kafka, with its tools.
pub const KAFKA: Part = Part {
    name: "kafka-and-tools",
    version: "4.1.0",
};

/// The Maven project whose dependencies are the broker, its tools and its logging.
const PROJECT: &str = include_str!("kafka/pom.xml");

/// The logging configuration of Kafka, which writes only important messages.
const LOGGING: &str = include_str!("kafka/log4j2.properties");

/// Returns the folder with `jars/` and `log4j2.properties`, and fetches them first if they do not
/// exist.
pub fn ensure() -> Result<PathBuf, PartError> {
    debian::ensure(debian::KAFKA)?;
    KAFKA.ensure(fetch)
}

fn fetch(folder: &Path) -> Result<(), PartError> {
    let project = folder.join("pom.xml");
    let logging = folder.join("log4j2.properties");
    fs::write(&project, PROJECT).map_err(|source| cache_error(&project, source))?;
    fs::write(&logging, LOGGING).map_err(|source| cache_error(&logging, source))?;
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&project)
        .arg("dependency:copy-dependencies");
    maven.arg(format!(
        "-DoutputDirectory={}",
        folder.join("jars").display()
    ));
    run_logged(&mut maven, &KAFKA.log()).map_err(|source| KAFKA.failed(source))
}
