//! Why a store could not be opened.

use std::path::PathBuf;

use innkeeper_contracts::secret::masked;

/// Why a store could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has locked the file.
    #[error("{} is in use by another process; stop that one first, or choose another data folder", file.display())]
    InUse { file: PathBuf },
    /// The file or its lock cannot be opened or created.
    #[error("cannot open {}; check that its folder exists and is writable", file.display())]
    File {
        /// The database file, or its lock file.
        file: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a database, or is damaged.
    #[error("cannot use {} as a database; move it away or restore it", file.display())]
    Database {
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The file holds the events of another topic.
    #[error("{} holds the topic {holds}, not {topic}; choose another data folder", file.display())]
    OtherTopic {
        file: PathBuf,
        /// The topic in the file.
        holds: String,
        /// The topic that was asked for.
        topic: String,
    },
    /// A credentials file cannot be read.
    #[error("cannot read {}; the database's Secret must have the keys username and password", file.display())]
    Credentials {
        file: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The schema's name would need quoting, or PostgreSQL would truncate it.
    #[error(
        "{schema:?} cannot be the name of a schema; take 1 to 63 of the characters a-z, 0-9, - and _"
    )]
    SchemaName { schema: String },
    /// The server cannot be reached, or refuses the user.
    #[error(
        "cannot connect to PostgreSQL at {}:{port}, database {}; check that it runs, that the database exists, and the credentials",
        masked(host),
        masked(database)
    )]
    Connect {
        /// Host of the server.
        host: String,
        /// Port of the server.
        port: u16,
        /// Name of the database.
        database: String,
        /// The error of the client.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A pooler before the server loses prepared statements.
    #[error(
        "the pooler at {}:{port} gives each transaction another connection and loses prepared statements; set pool_mode = session, or in PgBouncer 1.21 or later max_prepared_statements = 200",
        masked(host)
    )]
    Pooler {
        /// Host of the pooler.
        host: String,
        /// Port of the pooler.
        port: u16,
    },
    /// The files for TLS cannot be used.
    #[error("cannot use {} for TLS with PostgreSQL; {remedy}", file.display())]
    Tls {
        file: PathBuf,
        /// What must be in it.
        remedy: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No version of TLS can be used.
    #[error("cannot use TLS")]
    TlsVersions(#[source] rustls::Error),
    /// There is no certificate authority to trust.
    #[error("cannot verify certificates")]
    Roots(#[source] rustls::client::VerifierBuilderError),
    /// The schema cannot be created.
    #[error(
        "cannot make the schema {schema}; grant the user CREATE on the database, or make the schema and grant CREATE on it"
    )]
    Schema {
        /// Name of the schema.
        schema: String,
        /// The error of the server.
        source: tokio_postgres::Error,
    },
    /// The tables cannot be created or migrated.
    #[error(
        "cannot migrate the tables of {database}; if a newer release has used them, run that one"
    )]
    Migrate {
        /// The file, or the name of the schema.
        database: String,
        /// The error of the migration.
        source: Box<refinery::Error>,
    },
    /// The writer thread cannot be started.
    #[error("cannot start the database's writer thread")]
    Thread(#[source] std::io::Error),
}
