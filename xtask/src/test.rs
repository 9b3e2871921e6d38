//! `cargo xtask test`: runs all tests. It starts what they need before, and stops it afterwards.

mod end_to_end;

use std::error::Error;
use std::process::Command;

use clap::{Args, ValueEnum};
use innkeeper_cluster::parts::debian;
use innkeeper_cluster::progress::Progress;
use innkeeper_cluster::services::{KAFKA_VARIABLE, POSTGRES_VARIABLE, Services};

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};

/// The name of the services and the cluster for tests, so that other ones are not disturbed.
const NAME: &str = "test";

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Only the tests that want no more than this
    #[arg(long)]
    only: Option<Level>,
    /// Leaves the cluster of the tests up, and uses it again: `cargo xtask cluster --name test …`
    #[arg(long)]
    keep: bool,
    /// Words for the test programs, such as a part of a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// How much tests need to run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Nothing but this repository
    Hermetic,
    /// A real Kafka and database, a browser, and networks of their own
    Services,
    /// A Kubernetes cluster on this machine, which needs root
    Cluster,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let words = &arguments.words;
    match arguments.only {
        None => {
            end_to_end::check_possible()?;
            with_services(cargo_test().arg("--workspace"), words)?;
            end_to_end::run(arguments)
        }
        Some(Level::Hermetic) => run_shown(cargo_test().args(["--workspace", "--"]).args(words)),
        Some(Level::Services) => with_services(&mut only_services()?, words),
        Some(Level::Cluster) => {
            end_to_end::check_possible()?;
            end_to_end::run(arguments)
        }
    }
}

/// A `cargo test` command that continues after a failure, so that one run reports everything.
fn cargo_test() -> Command {
    let mut test = cargo();
    test.args(["test", "--no-fail-fast"]);
    test
}

/// A `cargo test` command for the packages whose tests need the services.
fn only_services() -> Result<Command, Box<dyn Error>> {
    let mut test = cargo_test();
    for package in Workspace::load()?.packages_with("services") {
        test.args(["--package", &package]);
    }
    Ok(test)
}

/// The feature arguments with which Cargo builds the tests that need the services.
fn service_features() -> Result<String, Box<dyn Error>> {
    let packages = Workspace::load()?.packages_with("services");
    let features: Vec<String> = packages
        .iter()
        .map(|package| format!("{package}/services"))
        .collect();
    Ok(features.join(","))
}

fn with_services(test: &mut Command, words: &[String]) -> Outcome {
    test.arg("--features").arg(service_features()?);
    debian::ensure(debian::BLACK_BOX)?;
    // Everything is built before the services start, because that takes long.
    run_shown(
        Command::new(test.get_program())
            .args(test.get_args())
            .arg("--no-run"),
    )?;
    Services::down(NAME)?;
    let outcome = up_and_run(test.arg("--").args(words));
    Services::down(NAME)?;
    outcome
}

fn up_and_run(test: &mut Command) -> Outcome {
    let services = Services::up(NAME, Progress::shown())?;
    run_shown(
        test.env(KAFKA_VARIABLE, &services.kafka)
            .env(POSTGRES_VARIABLE, &services.postgres),
    )
}
