//! `cargo xtask check`: what can be said of the code without running it.

use crate::Outcome;
use crate::workspace::{cargo, run_shown};
use crate::{chart, generate};

/// What is quick first: generated files and the chart, then formatting, then the lints of the whole workspace, the
/// parts behind features included.
pub fn run() -> Outcome {
    generate::run(&generate::Arguments { check: true })?;
    chart::check()?;
    run_shown(cargo().args(["fmt", "--all", "--check"]))?;
    run_shown(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))
}
