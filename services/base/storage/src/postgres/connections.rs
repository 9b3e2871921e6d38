//! A connection pool, how statements name the tables of a schema, and what the server's errors
//! mean.
//!
//! Nothing is set for a whole session: behind a pooler that gives each transaction another
//! connection, a session is shared with others.

use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::{
    GenericClient, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime,
};
use innkeeper_kit::store::StoreError;
use innkeeper_kit::transport::Transport;
use tokio::sync::{RwLock, RwLockReadGuard};
use tokio::time::timeout;
use tokio_postgres::CancelToken;
use tokio_postgres::Row;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::ToSql;

use super::connect::Connector;
use super::options::PostgresOptions;
use crate::OpenError;

/// Size of the pool; measurements showed no gain from more.
const CONNECTIONS: usize = 16;
/// How long to wait for a connection that is in use or must be made. Both take long only on an
/// overloaded machine.
const POOL_TIMEOUT: Duration = Duration::from_secs(10);
/// After this time a statement is cancelled.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to cancel one.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);
/// After this time a connection is made anew, so that what was rotated comes into use everywhere.
const OLDEST: Duration = Duration::from_hours(1);
/// The schema that statements name; that of the service takes its place.
const NAMED_SCHEMA: &str = "innkeeper.";

/// The connections of one store.
pub struct Connections {
    pool: Pool,
    schema: String,
    connector: Connector,
    /// Locked for reading while a connection is used, and for writing to close.
    open: RwLock<bool>,
}

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The pool has no connection.
    #[error("no connection to the database")]
    Pool(#[from] PoolError),
    /// The connection broke, or the server answered with an error.
    #[error("a statement failed")]
    Statement(#[from] tokio_postgres::Error),
    /// The server does not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl Connections {
    /// Creates the pool. It connects when it is used.
    pub fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let connector = Connector::of(options)?;
        let config = connector.last().config;
        let manager = Manager::from_connect(config, connector.clone(), recycling);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .create_timeout(Some(POOL_TIMEOUT))
            .recycle_timeout(Some(POOL_TIMEOUT))
            .pre_recycle(Hook::sync_fn(|_, metrics| {
                if metrics.age() < OLDEST {
                    Ok(())
                } else {
                    Err(HookError::message("the connection is old"))
                }
            }))
            .build()
            .map_err(|error| options.connect_error(error))?;
        Ok(Self {
            pool,
            schema: options.schema.clone(),
            connector,
            open: RwLock::new(true),
        })
    }

    /// The tables as a connection or a transaction sees them.
    pub fn tables<'a, C: GenericClient>(&'a self, client: &'a C) -> Tables<'a, C> {
        Tables {
            client,
            schema: &self.schema,
        }
    }

    /// How the latest connection is protected.
    pub fn transport(&self) -> Transport {
        self.connector.transport()
    }

    /// Takes a connection from the pool.
    pub async fn connect(&self) -> Result<Object, PoolError> {
        self.pool.get().await
    }

    /// Takes a connection for several statements.
    pub async fn session(&self) -> Result<Session<'_>, QueryError> {
        let open = self.open.read().await;
        if !*open {
            return Err(QueryError::Closed);
        }
        Ok(Session {
            client: Some(self.connect().await?),
            connector: &self.connector,
            _open: open,
        })
    }

    /// Runs one statement, which is prepared once per connection.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let mut session = self.session().await?;
        let canceller = session.canceller();
        let tables = self.tables(session.client());
        match canceller.in_time(tables.query(sql, parameters)).await {
            None => Err(QueryError::TimedOut),
            Some(answer) => {
                session.finish();
                answer
            }
        }
    }

    /// Waits for running statements, then closes the connections.
    pub async fn close(&self) {
        let mut open = self.open.write().await;
        *open = false;
        self.pool.close();
    }
}

/// A connection in use. The pool is not closed before it ends. If it is dropped before
/// [`Self::finish`], such as when nobody waits any longer, the connection is thrown away, so that
/// its next user does not wait for a statement of somebody else.
pub struct Session<'a> {
    client: Option<Object>,
    connector: &'a Connector,
    _open: RwLockReadGuard<'a, bool>,
}

impl<'a> Session<'a> {
    pub fn client(&mut self) -> &mut Object {
        self.client.as_mut().expect("it is there until the end")
    }

    /// What cancels a statement of this connection.
    pub fn canceller(&mut self) -> Canceller<'a> {
        Canceller {
            token: self.client().cancel_token(),
            connector: self.connector,
        }
    }

    /// Gives the connection back to the pool.
    pub fn finish(mut self) {
        self.client.take();
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        drop(self.client.take().map(Object::take));
    }
}

/// Cancels what a connection is at.
pub struct Canceller<'a> {
    token: CancelToken,
    connector: &'a Connector,
}

impl Canceller<'_> {
    /// Waits for the server's answer; `None` if there is none in time. It is cancelled then, and
    /// its connection must not be used any more.
    pub async fn in_time<T>(self, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(answer);
        if let Ok(answer) = timeout(ANSWER_TIMEOUT, &mut answer).await {
            return Some(answer);
        }
        let sent = self.token.cancel_query(self.connector.last().tls);
        let _sent = timeout(CANCEL_TIMEOUT, sent).await;
        if timeout(CANCEL_TIMEOUT, answer).await.is_err() {
            tracing::warn!("the database did not cancel a statement that takes too long");
        }
        None
    }
}

/// The tables of a service's schema, as a connection or a transaction sees them.
pub struct Tables<'a, C> {
    client: &'a C,
    schema: &'a str,
}

impl<C: GenericClient> Tables<'_, C> {
    /// Runs one statement, which is prepared once per connection. It calls the schema `innkeeper`,
    /// whatever its name is.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let sql = sql.replace(NAMED_SCHEMA, &format!("\"{}\".", self.schema));
        let statement = self.client.prepare_cached(&sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }
}

impl QueryError {
    /// Whether another row has the second key.
    pub fn is_second_key_taken(&self) -> bool {
        let Self::Statement(error) = self else {
            return false;
        };
        let error = error.as_db_error();
        error.and_then(DbError::constraint) == Some("rows_by_second_key")
    }

    /// Whether the server has chosen this transaction to end a deadlock.
    pub fn is_deadlock(&self) -> bool {
        self.sql_state() == Some(&SqlState::T_R_DEADLOCK_DETECTED)
    }

    /// The server's error code; `None` if the error is not the server's.
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Statement(error) => error.code(),
            _ => None,
        }
    }
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        match &error {
            QueryError::Closed | QueryError::Pool(PoolError::Closed) => Self::Closed,
            // Without a connection, nothing was said about what was asked.
            QueryError::TimedOut | QueryError::Pool(_) => Self::Unavailable(Box::new(error)),
            QueryError::Statement(cause) if is_fault_of_database(cause) => {
                Self::Unavailable(Box::new(error))
            }
            QueryError::Statement(_) => Self::Failed(Box::new(error)),
        }
    }
}

/// Classes of errors that say nothing about what was to be written or read: a later attempt may
/// succeed (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const FAULTS_OF_DATABASE: [&str; 10] = [
    "08", // the connection broke
    "25", // the transaction is not in the right state, such as read-only after a failover
    "26", // a pooler has lost a prepared statement
    "28", // the user is not let in
    "40", // the transaction was rolled back
    "42", // a table is missing, or the permission for it
    "53", // out of memory, disk or connections
    "55", // an object is in use
    "57", // an operator intervened
    "58", // the operating system failed
];

/// Whether the database is at fault, and not what was to be written or read.
fn is_fault_of_database(error: &tokio_postgres::Error) -> bool {
    let Some(state) = error.code() else {
        return error.is_closed() || has_io_error(error);
    };
    let mut classes = FAULTS_OF_DATABASE.iter();
    classes.any(|class| state.code().starts_with(class))
}

fn has_io_error(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}
