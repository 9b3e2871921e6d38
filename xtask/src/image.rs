//! `cargo xtask image`: the container image, without Docker.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use innkeeper_cluster::images::Image;

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};

/// The name that the image has unless told otherwise, which is the one that the chart asks for.
pub const DEFAULT_NAME: &str = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));

/// The profile in the root Cargo.toml that the image is built with.
const PROFILE: &str = "image";

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// The image's full name: HOST/REPOSITORY:TAG
    #[arg(long, default_value = DEFAULT_NAME)]
    name: String,
    /// Where the OCI archive goes; in the target folder unless told otherwise
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Carries the chore out.
pub fn run(arguments: Arguments) -> Outcome {
    let archive = build(&arguments.name, arguments.output)?;
    let size = fs::metadata(&archive)?.len();
    println!(
        "{} is {} in {} MiB",
        archive.display(),
        arguments.name,
        size / 1024 / 1024
    );
    Ok(())
}

/// Builds the binary and writes it as an OCI archive, whose path is returned.
pub fn build(name: &str, output: Option<PathBuf>) -> Result<PathBuf, Box<dyn Error>> {
    run_shown(cargo().args(["build", "--package", "innkeeper", "--profile", PROFILE]))?;
    let target = Workspace::load()?.target();
    let archive = output.unwrap_or_else(|| target.join("innkeeper-image.tar"));
    let program = target.join(PROFILE).join("innkeeper");
    let image = Image::of_program(name, &program, "/innkeeper")?
        .label("org.opencontainers.image.title", "innkeeper")
        .label(
            "org.opencontainers.image.description",
            "Runs booking platforms on Kubernetes",
        )
        .label(
            "org.opencontainers.image.licenses",
            env!("CARGO_PKG_LICENSE"),
        )
        .label(
            "org.opencontainers.image.version",
            env!("CARGO_PKG_VERSION"),
        );
    image.write(&archive)?;
    Ok(archive)
}
