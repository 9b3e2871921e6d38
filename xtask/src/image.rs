//! `cargo xtask image`: builds the container image, without Docker.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use innkeeper_image::Image;

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};

/// The default name of the image, which is also the chart's default.
pub const DEFAULT_NAME: &str = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));

/// The Cargo profile for the image, from the root Cargo.toml.
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

/// Runs the chore.
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

/// Builds the binary, writes it as an OCI archive, and returns the path of the archive.
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
