//! Makes connections to the server. Credentials and certificates are read anew for each, so that a
//! Secret that was rotated is used from the next one on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::Connect;
use innkeeper_contracts::secret::masked;
use innkeeper_kit::store::Transport;
use tokio::task::JoinHandle;
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

    /// What the files say, or what they said when they last could be read.
    pub fn prepared(&self) -> Prepared {
        let mut last = locked(&self.last);
        match Prepared::read(&self.options) {
            Ok(read) => *last = read,
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(error = %masked(&error), "goes on with the credentials before");
            }
        }
        last.clone()
    }
}

impl Connect for Connector {
    fn connect(&self, _config: &Config) -> Connecting<'_> {
        let Prepared {
            config,
            tls,
            certificates,
        } = self.prepared();
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
            let server_ends = certificates.server_ends.get();
            *locked(&self.transport) = Transport {
                is_encrypted: server_ends.is_some(),
                server_certificate_ends: server_ends.copied().flatten(),
                client_certificate_ends: certificates.client_ends,
            };
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
