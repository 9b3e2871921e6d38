//! Makes connections to the server. Credentials and certificates are read anew for each, so that a
//! Secret that was rotated is used from the next one on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Connect;
use innkeeper_contracts::secret::masked;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::options::PostgresOptions;
use super::tls;
use crate::OpenError;

/// Makes connections with what the files say. Clones share what was read.
#[derive(Clone)]
pub struct Connector {
    options: PostgresOptions,
    /// What was read last without a fault.
    last: Arc<Mutex<Prepared>>,
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

/// What a connection is made with.
#[derive(Clone)]
pub struct Prepared {
    pub config: Config,
    pub tls: MakeRustlsConnect,
}

impl Prepared {
    /// Reads the files that the options name.
    pub fn read(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            config: options.config()?,
            tls: tls::connector(options.tls.as_ref())?,
        })
    }
}

impl Connector {
    /// A connector whose files can be read now.
    pub fn of(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            options: options.clone(),
            last: Arc::new(Mutex::new(Prepared::read(options)?)),
        })
    }

    /// What the files say, or what they said when they last could be read.
    pub fn prepared(&self) -> Prepared {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
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
        let Prepared { config, tls } = self.prepared();
        Box::pin(async move {
            let (client, connection) = config.connect(tls).await?;
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
