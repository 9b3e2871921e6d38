//! `cargo xtask test`: all tests, with what they want brought up before and taken down after.

use std::error::Error;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use innkeeper_cluster::cluster::Cluster;
use innkeeper_cluster::progress::Progress;
use innkeeper_cluster::services::{KAFKA_VARIABLE, POSTGRES_VARIABLE, Services};
use serde_json::Value;

use crate::Outcome;
use crate::image;
use crate::workspace::{Workspace, cargo, run_shown};

/// The name of the services and the cluster that tests use, so that a person's own are never disturbed.
const NAME: &str = "test";

/// The environment variable that tells an end-to-end test which cluster to use.
const CLUSTER_VARIABLE: &str = "INNKEEPER_E2E_CLUSTER";

/// The environment variable that tells an end-to-end test the name of the image under test.
const IMAGE_VARIABLE: &str = "INNKEEPER_E2E_IMAGE";

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Only the tests that want no more than this
    #[arg(long)]
    only: Option<Level>,
    /// Leaves the cluster of the tests up, to look at it: `cargo xtask cluster --name test …`
    #[arg(long)]
    keep: bool,
    /// Words for the test programs, such as a part of a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// What tests want.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Nothing but this repository
    Hermetic,
    /// A real Kafka and `PostgreSQL`
    Services,
    /// A real cluster
    Cluster,
}

/// Carries the chore out.
pub fn run(arguments: &Arguments) -> Outcome {
    let wanted = |level| arguments.only.is_none_or(|only| only == level);
    match (wanted(Level::Hermetic), wanted(Level::Services)) {
        (true, true) => with_services(cargo().args(["test", "--workspace"]), &arguments.words)?,
        (true, false) => run_shown(
            cargo()
                .args(["test", "--workspace", "--"])
                .args(&arguments.words),
        )?,
        (false, true) => with_services(&mut only_services()?, &arguments.words)?,
        (false, false) => {}
    }
    if wanted(Level::Cluster) {
        with_cluster(arguments)
    } else {
        Ok(())
    }
}

/// `cargo test` for those packages only whose tests use the services.
fn only_services() -> Result<Command, Box<dyn Error>> {
    let mut test = cargo();
    test.arg("test");
    for package in Workspace::load()?.packages_with("services") {
        test.args(["--package", &package]);
    }
    Ok(test)
}

fn with_services(test: &mut Command, words: &[String]) -> Outcome {
    let features = Workspace::load()?.packages_with("services");
    let features: Vec<String> = features
        .iter()
        .map(|package| format!("{package}/services"))
        .collect();
    test.arg("--features").arg(features.join(","));
    // What takes long to build is built before the services start.
    run_shown(
        Command::new(test.get_program())
            .args(test.get_args())
            .arg("--no-run"),
    )?;
    Services::down(NAME)?;
    let services = Services::up(NAME, Progress::shown())?;
    test.env(KAFKA_VARIABLE, &services.kafka)
        .env(POSTGRES_VARIABLE, &services.postgres);
    let outcome = run_shown(test.arg("--").args(words));
    Services::down(NAME)?;
    outcome
}

fn with_cluster(arguments: &Arguments) -> Outcome {
    let tests = build_cluster_tests()?;
    let image = image::build(image::DEFAULT_NAME, None)?;
    if !arguments.keep {
        Cluster::down(NAME)?;
    }
    let cluster = Cluster::up(NAME, Progress::shown())?;
    cluster.import_image(&image)?;
    let run = |test: &PathBuf| run_shown(&mut inside(&cluster, test.as_os_str(), &arguments.words));
    let outcome = tests.iter().try_for_each(run);
    if outcome.is_err() {
        show_state(&cluster);
    }
    if !arguments.keep {
        Cluster::down(NAME)?;
    }
    outcome
}

/// A test program inside the cluster's network.
fn inside(cluster: &Cluster, test: &OsStr, words: &[String]) -> Command {
    let mut command = cluster.command(test);
    command
        .args(words)
        .env(CLUSTER_VARIABLE, NAME)
        .env(IMAGE_VARIABLE, image::DEFAULT_NAME);
    command
        .env(KAFKA_VARIABLE, cluster.kafka())
        .env(POSTGRES_VARIABLE, cluster.postgres_url());
    command
}

/// Builds the test programs outside of the cluster's network, where there is a way to the crates' registry.
fn build_cluster_tests() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut build = cargo();
    build.args([
        "test",
        "--package",
        "innkeeper-e2e",
        "--features",
        "cluster",
        "--tests",
        "--no-run",
    ]);
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
    let tests =
        artifacts.filter(|artifact| artifact["target"]["kind"] == serde_json::json!(["test"]));
    Ok(tests
        .filter_map(|test| test["executable"].as_str().map(PathBuf::from))
        .collect())
}

/// Shows what a failed test leaves behind, before it is taken down.
fn show_state(cluster: &Cluster) {
    for question in [["get", "pods"], ["get", "events"]] {
        // This is an extra for the reader; the failure itself is reported anyway.
        let _ = run_shown(cluster.kubectl().args(question).arg("--all-namespaces"));
    }
}
