//! `innkeeper plan FILE…`: prints the Kubernetes objects that platform files would become as YAML,
//! offline.

use std::io::{self, Write as _};
use std::path::PathBuf;

use innkeeper_plan::expand;
use innkeeper_plan::render::platform_objects;

use crate::cluster::ClusterArguments;
use crate::exit::Failure;
use crate::files;

/// The arguments of `innkeeper plan`.
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

/// Prints every object of every file in the order in which they would be applied, or nothing if a
/// file is refused.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let executor = arguments.cluster.executor();
    let mut text = String::new();
    let mut files = files::read(&arguments.files)?;
    for file in &mut files {
        file.default_namespace(&arguments.namespace);
    }
    files::refuse_twins(&files, |it| (it.namespace(), it.name()))?;
    for file in files {
        let plan = file.validate(&executor).map_err(Failure::Refused)?;
        for object in platform_objects(&expand(&plan, &executor, &file.facts())) {
            text.extend(["---\n", &object.yaml()]);
        }
    }
    match io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that closes the pipe early, such as `head`, is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(&error)),
        _ => Ok(()),
    }
}
