//! Where the database is, and the credentials for it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use innkeeper_contracts::pod::{PASSWORD_FILE, USERNAME_FILE};
use innkeeper_contracts::settings;

use super::tls;
use crate::OpenError;

/// PostgreSQL truncates longer names, so that two services could share a schema by accident.
const LONGEST_NAME: usize = 63;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// After this time without an acknowledgement the connection is given up.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is, and the credentials for it.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Name or address of the server.
    pub host: String,
    /// Port of the server.
    pub port: u16,
    /// Name of the database, which must exist.
    pub database: String,
    /// Name of the schema, which is created if it is missing.
    pub schema: String,
    /// The user, and the password.
    pub credentials: Credentials,
    /// Whether and how the connection is encrypted; `None`: where the server offers it.
    pub tls: Option<settings::Tls>,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PostgresOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// The credentials of a user.
#[derive(Clone)]
pub enum Credentials {
    Given {
        /// Name of the user.
        username: String,
        /// Password of the user.
        password: String,
    },
    /// A folder with the files `username` and `password`, which may change.
    In(PathBuf),
}

impl Credentials {
    fn read(&self) -> Result<(String, String), OpenError> {
        match self {
            Self::Given { username, password } => Ok((username.clone(), password.clone())),
            Self::In(folder) => Ok((
                read_credential(&folder.join(USERNAME_FILE))?,
                read_credential(&folder.join(PASSWORD_FILE))?,
            )),
        }
    }
}

impl PostgresOptions {
    /// The options that a service's settings name.
    pub fn from_settings(settings: &settings::Postgres) -> Self {
        Self {
            host: settings.host.clone(),
            port: settings.port,
            database: settings.database.clone(),
            schema: settings.schema.clone(),
            credentials: Credentials::In(settings.credentials_dir.clone()),
            tls: settings.tls.clone(),
        }
    }

    /// Refuses a schema name that would need quoting or be truncated.
    pub(super) fn check_schema(&self) -> Result<(), OpenError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if self.schema.is_empty()
            || self.schema.len() > LONGEST_NAME
            || !self.schema.chars().all(plain)
        {
            return Err(OpenError::SchemaName {
                schema: self.schema.clone(),
            });
        }
        Ok(())
    }

    /// The client's configuration. It sets nothing that a pooler would not pass on.
    pub(super) fn config(&self) -> Result<tokio_postgres::Config, OpenError> {
        let (username, password) = self.credentials.read()?;
        let mut config = tokio_postgres::Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .dbname(&self.database)
            .user(&username)
            .password(&password)
            .application_name(&self.schema)
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(KEEPALIVE_IDLE)
            .tcp_user_timeout(TCP_USER_TIMEOUT)
            .ssl_mode(tls::ssl_mode(self.tls.as_ref()));
        Ok(config)
    }

    pub(super) fn connect_error(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> OpenError {
        OpenError::Connect {
            host: self.host.clone(),
            port: self.port,
            database: self.database.clone(),
            source: source.into(),
        }
    }
}

/// Reads one credential without trailing line ends, which editors and
/// `kubectl create secret --from-file` leave.
fn read_credential(file: &Path) -> Result<String, OpenError> {
    std::fs::read_to_string(file)
        .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(|source| OpenError::Credentials {
            file: file.to_owned(),
            source,
        })
}
