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
    /// Platform files; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Namespace of platforms that name none.
    #[arg(long, short, default_value = "default")]
    namespace: String,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// Checks every file, and reports all faults at once.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let executor = arguments.cluster.executor();
    let mut faults = Vec::new();
    let mut files = files::read(&arguments.files)?;
    for file in &mut files {
        file.default_namespace(&arguments.namespace);
    }
    files::refuse_twins(&files, |it| (it.namespace(), it.name()))?;
    for file in files {
        match file.validate(&executor) {
            Ok(plan) => {
                let (origin, name) = (file.origin(), file.name());
                let count = plan.services.len();
                println!(
                    "{}",
                    masked(&format!("{origin}: {name} is valid, with {count} services"))
                );
                file.warn();
                file.warn_of_size();
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
