//! Kafka and `PostgreSQL` on loopback, without Kubernetes, for tests that use them and for people
//! who try things out.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::daemon::{Daemon, DaemonError, stop_recorded};
use crate::folders::RunFolder;
use crate::kafka::{Kafka, KafkaError};
use crate::postgres::{self, Postgres, PostgresError};
use crate::progress::Progress;

/// How long each process may take to stop.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// The environment variable with the address of Kafka for tests: `address:port`.
pub const KAFKA_VARIABLE: &str = "INNKEEPER_TEST_KAFKA";

/// The environment variable with the administrator's connection string of `PostgreSQL` for tests.
pub const POSTGRES_VARIABLE: &str = "INNKEEPER_TEST_POSTGRES";

/// Why the services could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A process could not be stopped.
    #[error(transparent)]
    Process(#[from] DaemonError),
    /// The run folder could not be used.
    #[error("cannot use {folder}")]
    Folder {
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Both services while they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Address of Kafka: `127.0.0.1:port`.
    pub kafka: String,
    /// Connection string of the administrator of `PostgreSQL`.
    pub postgres: String,
}

impl Services {
    /// Returns the running services with this name, or starts them. If only one of them runs, it is
    /// stopped first.
    pub fn up(name: &str, progress: Progress) -> Result<Self, ServicesError> {
        if let Some(services) = Self::find(name)? {
            return Ok(services);
        }
        Self::down(name)?;
        let folder = folder(name);
        let kafka = progress.step("Kafka 4.1.0", || Kafka::start_on_loopback(&folder))?;
        let postgres = progress.step("PostgreSQL 15", || Postgres::start_on_loopback(&folder))?;
        let services = Self {
            kafka: kafka.bootstrap.clone(),
            postgres: postgres.url(),
        };
        let written = fs::write(environment(&folder), services.environment());
        written.map_err(|source| ServicesError::Folder {
            folder: folder.path().to_path_buf(),
            source,
        })?;
        Ok(services)
    }

    /// The services with this name, if all of their processes run.
    pub fn find(name: &str) -> Result<Option<Self>, ServicesError> {
        let folder = folder(name);
        let alive = Daemon::read_recorded(&folder)?
            .iter()
            .all(Daemon::is_running);
        Ok(fs::read_to_string(environment(&folder))
            .ok()
            .filter(|_| alive)
            .and_then(|lines| Self::parse(&lines)))
    }

    /// Stops the services with this name and removes their data. Succeeds if there are none.
    pub fn down(name: &str) -> Result<(), ServicesError> {
        let folder = folder(name);
        stop_recorded(&folder, STOP_GRACE)?;
        postgres::remove_data(&folder)?;
        folder.remove().map_err(|source| ServicesError::Folder {
            folder: folder.path().to_path_buf(),
            source,
        })
    }

    /// Lines of the form `NAME=value` with the addresses for tests, which are also in the file
    /// [`environment_file`].
    pub fn environment(&self) -> String {
        format!(
            "{KAFKA_VARIABLE}={}\n{POSTGRES_VARIABLE}={}\n",
            self.kafka, self.postgres
        )
    }

    fn parse(lines: &str) -> Option<Self> {
        let value = |name: &str| {
            lines
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            kafka: value(KAFKA_VARIABLE)?.to_owned(),
            postgres: value(POSTGRES_VARIABLE)?.to_owned(),
        })
    }
}

/// The file with the environment of the services with this name, while they run.
pub fn environment_file(name: &str) -> PathBuf {
    environment(&folder(name))
}

fn environment(folder: &RunFolder) -> PathBuf {
    folder.join("environment")
}

fn folder(name: &str) -> RunFolder {
    RunFolder::of("services", name)
}
