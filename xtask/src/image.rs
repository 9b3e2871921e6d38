//! `cargo xtask image`: builds the container image, without Docker.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use innkeeper_image::Image;
use pem::Pem;

use crate::Outcome;
use crate::workspace::{Workspace, cargo, run_shown};

/// The default name of the image, which is also the chart's default.
pub const DEFAULT_NAME: &str = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));

/// The Cargo profile for the image, from the root Cargo.toml.
const PROFILE: &str = "image";

/// Where the certificates of public authorities are, as in Debian's images; rustls and librdkafka
/// look for them there.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

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

/// The certificates of the authorities that Mozilla trusts, in PEM.
fn authorities() -> String {
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let blocks: Vec<_> = certificates
        .map(|it| Pem::new("CERTIFICATE", it.to_vec()))
        .collect();
    pem::encode_many(&blocks)
}

/// Builds the binary, writes it as an OCI archive, and returns the path of the archive.
pub fn build(name: &str, output: Option<PathBuf>) -> Result<PathBuf, Box<dyn Error>> {
    run_shown(cargo().args(["build", "--package", "innkeeper", "--profile", PROFILE]))?;
    let target = Workspace::load()?.target();
    let archive = output.unwrap_or_else(|| target.join("innkeeper-image.tar"));
    let program = target.join(PROFILE).join("innkeeper");
    let image = Image::of_program(name, &program, "/innkeeper")?
        .file(AUTHORITIES, authorities())
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
