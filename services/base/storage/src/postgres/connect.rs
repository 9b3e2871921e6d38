//! Makes connections to the server. Credentials and certificates are read anew for each, so that a
//! Secret that was rotated is used from the next one on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::Connect;
use innkeeper_contracts::secret::masked;
use innkeeper_kit::transport::Transport;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::options::PostgresOptions;
use super::tls::{self, Certificates};
use crate::OpenError;

/// Makes connections with what the files say. Clones share what was read.
#[derive(Clone)]
pub struct Connector {
    options: PostgresOptions,
    /// What was read last without a fault.
    last: Arc<Mutex<Prepared>>,
    /// How the latest connection is protected.
    transport: Arc<Mutex<Transport>>,
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

/// What a connection is made with.
#[derive(Clone)]
pub struct Prepared {
    pub config: Config,
    pub tls: MakeRustlsConnect,
    certificates: Arc<Certificates>,
}

impl Prepared {
    /// Reads the files that the options name.
    pub fn read(options: &PostgresOptions) -> Result<Self, OpenError> {
        let (tls, certificates) = tls::connector(options.tls.as_ref())?;
        Ok(Self {
            config: options.config()?,
            tls,
            certificates,
        })
    }
}

impl Connector {
    /// A connector whose files can be read now.
    pub fn of(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            options: options.clone(),
            last: Arc::new(Mutex::new(Prepared::read(options)?)),
            transport: Arc::default(),
        })
    }

    /// How the latest connection is protected.
    pub fn transport(&self) -> Transport {
        *locked(&self.transport)
    }

    /// What was read last.
    pub fn last(&self) -> Prepared {
        locked(&self.last).clone()
    }

    /// What the files say, or what they said when they last could be read.
    pub fn prepared(&self) -> Prepared {
        let mut last = locked(&self.last);
        match Prepared::read(&self.options) {
            Ok(read) => *last = read,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let error = format!("{error}: {}", cause.unwrap_or_default());
                tracing::warn!(error = %masked(&error), "goes on with the credentials before");
            }
        }
        last.clone()
    }
}

impl Connect for Connector {
    fn connect(&self, _config: &Config) -> Connecting<'_> {
        let mut prepared = self.prepared();
        Box::pin(async move {
            prepared.certificates.forget_server();
            let connected = prepared.config.connect(prepared.tls.clone()).await;
            let (client, connection) = match connected {
                Err(error) if self.options.tls.is_none() && is_about_tls(&error) => {
                    tracing::debug!(%error, "goes on without TLS");
                    prepared.certificates.forget_server();
                    prepared.config.ssl_mode(SslMode::Disable);
                    prepared.config.connect(prepared.tls.clone()).await?
                }
                connected => connected?,
            };
            *locked(&self.transport) = prepared.certificates.transport();
            #[expect(
                clippy::disallowed_methods,
                reason = "the connection ends with its client, and the pool asks for its task"
            )]
            let task = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a connection to the database broke");
                }
            });
            Ok((client, task))
        })
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a server may let us in without TLS: its own does not work with ours, or it does not let
/// this user in with it.
fn is_about_tls(error: &Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
        || (code.is_none() && error.to_string().contains("TLS"))
}
