//! `cargo xtask check`: checks the code without running it.

mod circles;
mod columns;
mod dead_code;
mod documents;
mod imports;
mod sources;

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};
use crate::{chart, generate};

/// Runs quick checks first: imports between packages and modules, unused code, what documents name,
/// generated files and the chart, then formatting, then the lints of the whole workspace, including
/// code behind features.
pub fn run() -> Outcome {
    let workspace = Workspace::load()?;
    imports::check(&workspace)?;
    circles::check(&workspace)?;
    columns::check(&workspace)?;
    dead_code::check(&workspace)?;
    documents::check(&workspace)?;
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
