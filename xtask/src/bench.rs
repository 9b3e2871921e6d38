//! `cargo xtask bench`: measures the figures of the documentation, in one run on this machine.
//!
//! Load goes to the loopback interface only, for a bounded time. Absolute figures differ from
//! machine to machine, so the rate of raw SQLite commits is measured as well.

mod ceiling;
mod comparison;
mod delay;
mod figure;
mod goals;
mod load;
mod measure;
mod page;
mod platform;
mod table;
mod tail;
mod usage;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use innkeeper_cluster::command::read_output;
use innkeeper_cluster::parts::debian;

use crate::Outcome;
use crate::generated::repository;
use crate::workspace::{Workspace, cargo, run_shown};
use figure::Run;
pub use page::page;

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Seconds of load at each number of connections
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Reservations after which memory and disk are looked at; they are made for ten minutes at
    /// most
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    reservations: u32,
    /// Saves the figures as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Says what changed since the figures that an earlier run saved
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Writes docs/figures.json and docs/figures.md
    #[arg(long)]
    page: bool,
}

/// Runs the benchmark, prints its figures as a table, and writes what was asked for.
pub fn run(arguments: &Arguments) -> Outcome {
    let before = arguments.compare.as_deref().map(Run::load).transpose()?;
    let run = measure(arguments)?;
    println!("{}", table::table(&run));
    if let Some(file) = &arguments.save {
        run.save(file)?;
    }
    if let Some(before) = before {
        println!("{}", comparison::comparison(&before, &run));
    }
    if arguments.page {
        run.save(&repository().join(page::RUN))?;
        let page = page()?;
        fs::write(repository().join(&page.path), page.text)?;
    }
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<Run, Box<dyn Error>> {
    debian::ensure(&["wrk"])?;
    run_shown(cargo().args(["build", "--release", "--package", "innkeeper"]))?;
    let target = Workspace::load()?.target();
    // Temporary folders of the system are in memory on some machines, where a commit costs nothing.
    let folder = tempfile::tempdir_in(&target)?;
    let binary = target.join("release/innkeeper");
    Ok(Run {
        commit: read_commit()?,
        figures: measure::measure(&binary, folder.path(), arguments)?,
    })
}

fn read_commit() -> Result<String, Box<dyn Error>> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"]);
    Ok(read_output(&mut git)?.trim().to_owned())
}
