//! `innkeeper validate FILE…`: checks platform files as a cluster would, offline, and warns about
//! credentials in them.

use std::path::PathBuf;

use innkeeper_contracts::secret::masked;

use crate::cluster::ClusterArguments;
use crate::exit::Failure;
use crate::files;

/// The arguments of `innkeeper validate`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Platform files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// Checks every file, and reports all faults at once.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let executor = arguments.cluster.executor();
    let mut faults = Vec::new();
    for file in files::read(&arguments.files)? {
        match file.validate(&executor) {
            Ok(plan) => {
                let (path, name) = (file.path().display(), file.name());
                let count = plan.services.len();
                println!(
                    "{}",
                    masked(&format!("{path}: {name} is valid, with {count} services"))
                );
                file.warn();
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Refused(faults.join("\n")))
    }
}
