//! The chores of this repository: `cargo xtask` alone lists them, and CI runs the same chores. It
//! contains no logic of the product, and its knowledge about clusters is in `innkeeper-cluster`.
//! Start reading at [`Chore`].

mod bench;
mod chart;
mod check;
mod cluster;
mod generate;
mod generated;
mod image;
mod services;
mod test;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of this repository.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// The figures of docs/figures.md, measured on this machine
    Bench(bench::Arguments),
    /// Formatting, lints, imports, unused code, names in documents, generated files and the chart
    Check,
    /// A real Kubernetes, Kafka and database on this machine: up, down, status, kubectl, helm, exec
    Cluster(cluster::Arguments),
    /// Writes the files that are made from others: the CRDs, the rules of the chart's roles, what
    /// the chart renders, and the page of figures
    Generate(generate::Arguments),
    /// Builds the container image as an OCI archive, without Docker
    Image(image::Arguments),
    #[command(about = "Kafka and PostgreSQL alone, on loopback: up, down, status")]
    Services(services::Arguments),
    /// All tests, with the services and the cluster that they want
    Test(test::Arguments),
}

/// The result of a chore.
type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Check => check::run(),
        Chore::Cluster(arguments) => cluster::run(&arguments),
        Chore::Generate(arguments) => generate::run(&arguments),
        Chore::Image(arguments) => image::run(arguments),
        Chore::Services(arguments) => services::run(&arguments),
        Chore::Test(arguments) => test::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// Prints an error with its causes, the outermost first.
fn report(error: &dyn Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
