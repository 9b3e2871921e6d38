//! `cargo xtask bench`: measures the figures of the README, in one run on this machine.
//!
//! Load goes to the loopback interface only, for a bounded time. Absolute figures differ from
//! machine to machine, so the rate of raw SQLite commits is measured as well.

mod ceiling;
mod delay;
mod load;
mod platform;

use std::time::Duration;

use clap::Args;
use innkeeper_cluster::parts::debian;

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};
use load::Load;
use platform::Platform;

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Seconds of load at each number of connections
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

/// How many bookings are followed from their 201 to the row of the view.
const BOOKINGS: usize = 500;

/// Runs the benchmark and prints its figures as a table.
pub fn run(arguments: &Arguments) -> Outcome {
    debian::ensure(&["wrk"])?;
    run_shown(cargo().args(["build", "--release", "--package", "innkeeper"]))?;
    let binary = Workspace::load()?.target().join("release/innkeeper");
    let folder = tempfile::tempdir()?;
    let length = Duration::from_secs(arguments.seconds);

    println!("| figure | value |\n|---|---|");
    let before = ceiling::measure_commits_per_second(
        &folder.path().join("ceiling.db"),
        Duration::from_secs(3),
    )?;
    row(
        "raw SQLite commits of one row and one event, WAL, synchronous=FULL",
        &format!("{before:.0}/s"),
    );

    let (platform, first) = Platform::start(&binary, folder.path())?;
    row(
        "start of `innkeeper dev` to the first 201",
        &format!("{:.0} ms", millis(first)),
    );
    let idle = platform.read_resident_megabytes()?;
    row(
        "memory of all five services after the first 201",
        &format!("{idle:.0} MB"),
    );

    let delays = delay::measure_until_view(&platform, BOOKINGS)?;
    row(
        "201 to the view's row, p50",
        &format!("{:.1} ms", millis(delays.median)),
    );
    row(
        "201 to the view's row, p99",
        &format!("{:.1} ms", millis(delays.p99)),
    );

    for connections in [16, 64] {
        let load = Load::run(&platform, folder.path(), connections, length)?;
        row(
            &format!("reservations at {connections} connections"),
            &format!("{:.0}/s", load.per_second),
        );
        row(
            &format!("p99 of a reservation at {connections} connections"),
            &load.p99,
        );
        row(
            &format!("answers other than 201 at {connections} connections"),
            &load.failures.to_string(),
        );
        row(
            &format!("share of the raw commit ceiling at {connections} connections"),
            &percent(load.per_second / before),
        );
    }
    row(
        "peak memory under that load",
        &format!("{:.0} MB", platform.read_peak_megabytes()?),
    );
    platform.stop()
}

fn row(figure: &str, value: &str) {
    println!("| {figure} | {value} |");
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
