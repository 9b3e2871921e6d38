//! `cargo xtask services`: Kafka and `PostgreSQL` for tests that need them, and for people who try
//! things out.

use clap::{Args, Subcommand};
use innkeeper_cluster::progress::Progress;
use innkeeper_cluster::services::{Services, environment_file};

use crate::Outcome;

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Which of several sets of services is meant
    #[arg(long, global = true, default_value = "default")]
    name: String,
}

#[derive(Subcommand)]
enum Verb {
    /// Starts both and prints the environment that tells tests where they are
    Up,
    /// Stops both and removes their data
    Down,
    /// Says whether they run, and where
    Status,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let name = &arguments.name;
    match arguments.verb {
        Verb::Up => up(name),
        Verb::Down => Ok(Services::down(name)?),
        Verb::Status => status(name),
    }
}

fn up(name: &str) -> Outcome {
    let services = Services::up(name, Progress::shown())?;
    eprintln!("also in {}", environment_file(name).display());
    print!("{}", services.environment());
    Ok(())
}

fn status(name: &str) -> Outcome {
    match Services::find(name)? {
        Some(services) => print!("{}", services.environment()),
        None => println!(
            "no services named {name} are running; start them with: cargo xtask services up"
        ),
    }
    Ok(())
}
