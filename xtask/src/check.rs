//! `cargo xtask check`: what can be said of the code without running it.

use crate::Outcome;
use crate::workspace::{cargo, run_shown};
use crate::{chart, generate};

/// Formatting and lints of the whole workspace, the parts behind features included; then what is made from it.
pub fn run() -> Outcome {
    run_shown(cargo().args(["fmt", "--all", "--check"]))?;
    run_shown(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))?;
    generate::run(&generate::Arguments { check: true })?;
    chart::check()
}
