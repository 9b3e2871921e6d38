//! Runs the end-to-end tests in the network of a cluster of their own.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use innkeeper_cluster::cluster::Cluster;
use innkeeper_cluster::progress::Progress;
use serde_json::{Value, json};

use super::{Arguments, NAME};
use crate::workspace::{cargo, run_shown};
use crate::{Outcome, image};

/// The environment variable with the name of the cluster for tests.
const CLUSTER_VARIABLE: &str = "INNKEEPER_E2E_CLUSTER";

/// Fails early if these tests cannot run on this machine, before anything is built.
pub fn check_possible() -> Outcome {
    Ok(Cluster::check_possible()?)
}

/// Builds the tests and then the cluster, and runs the tests.
pub fn run(arguments: &Arguments) -> Outcome {
    let tests = build_tests(arguments)?;
    let image = image::build(image::DEFAULT_NAME, None)?;
    if !arguments.keep {
        Cluster::down(NAME)?;
    }
    let outcome = up_and_run(&image, &tests, &arguments.words);
    if !arguments.keep {
        Cluster::down(NAME)?;
    }
    outcome
}

fn up_and_run(image: &Path, tests: &[TestProgram], words: &[String]) -> Outcome {
    let cluster = Cluster::up(NAME, Progress::shown())?;
    cluster.import_image(image)?;
    tests
        .iter()
        .try_for_each(|test| run_shown(&mut inside(&cluster, test, words)))
}

/// A command for a test program in the cluster's network.
fn inside(cluster: &Cluster, test: &TestProgram, words: &[String]) -> Command {
    let mut command = cluster.command(&test.path);
    command
        .current_dir(&test.folder)
        .args(words)
        .env(CLUSTER_VARIABLE, NAME);
    command
}

/// A test program, and the folder of its package, in which Cargo would run it.
struct TestProgram {
    path: PathBuf,
    folder: PathBuf,
}

/// Builds the test programs outside of the cluster's network, which has no route to the crate
/// registry.
fn build_tests(arguments: &Arguments) -> Result<Vec<TestProgram>, Box<dyn Error>> {
    let mut build = cargo();
    build.args(["test", "--no-run", "--features", "innkeeper-e2e/cluster"]);
    // With other packages or features than before, Cargo would build much of the workspace again.
    if arguments.only.is_none() {
        build
            .args(["--workspace", "--features"])
            .arg(super::service_features()?);
    } else {
        build.args(["--package", "innkeeper-e2e"]);
    }
    build
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit());
    let output = build.output()?;
    if !output.status.success() {
        return Err("the end-to-end tests do not build".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(artifacts
        .filter_map(|artifact| end_to_end_test(&artifact))
        .collect())
}

/// The test program in a message of Cargo, if it is one of the end-to-end tests.
fn end_to_end_test(artifact: &Value) -> Option<TestProgram> {
    let path = PathBuf::from(artifact["executable"].as_str()?);
    let folder = Path::new(artifact["manifest_path"].as_str()?)
        .parent()?
        .to_path_buf();
    let is_ours = artifact["target"]["kind"] == json!(["test"]) && folder.ends_with("e2e");
    is_ours.then_some(TestProgram { path, folder })
}
