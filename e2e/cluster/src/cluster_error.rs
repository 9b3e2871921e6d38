//! Why a cluster could not be started or removed.

use std::io;
use std::path::PathBuf;

use innkeeper_image::ImageError;

use crate::certificates::CertificateError;
use crate::command::CommandError;
use crate::daemon::DaemonError;
use crate::deadline::Overdue;
use crate::kafka::KafkaError;
use crate::network::NetworkError;
use crate::parts::PartError;
use crate::postgres::PostgresError;

/// Why a cluster could not be started or removed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Creating a network namespace, cgroups and mounts requires root.
    #[error(
        "a cluster needs root; run this again as root, for example with: sudo --preserve-env=HOME,PATH"
    )]
    NotRoot,
    /// The name cannot be part of the names of folders, namespaces and cgroups.
    #[error("`{0}` is no name for a cluster; use up to 30 of a to z, 0 to 9 and -")]
    Name(String),
    /// A program that the cluster needs is not available.
    #[error(transparent)]
    Part(#[from] PartError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Process(#[from] DaemonError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// Something took too long.
    #[error(transparent)]
    Overdue(#[from] Overdue),
    /// The run folder could not be used.
    #[error("cannot use {path}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}
