//! Why a store could not be opened.

use std::path::PathBuf;

use innkeeper_contracts::secret::masked;

/// Why a store could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the file.
    #[error("{} is in use by another process; stop that one first, or choose another data folder", file.display())]
    InUse {
        /// The database file.
        file: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("cannot open {}; check that its folder exists and is writable", file.display())]
    File {
        /// The database file, or its lock.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a database, or is damaged.
    #[error("cannot use {} as a database; move it away or restore it", file.display())]
    Database {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A credentials file cannot be read.
    #[error("cannot read {}; the database's Secret must have the keys username and password", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The name would need quoting, or PostgreSQL would cut it off.
    #[error(
        "{schema:?} cannot be the name of a schema; take 1 to 63 of the characters a-z, 0-9, - and _"
    )]
    SchemaName {
        /// The name.
        schema: String,
    },
    /// The server cannot be reached, or refuses the user.
    #[error(
        "cannot connect to PostgreSQL at {}:{port}, database {}; check that it runs, that the database exists, and the credentials",
        masked(host),
        masked(database)
    )]
    Connect {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
        /// The database.
        database: String,
        /// What the client says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The schema cannot be made.
    #[error(
        "cannot make the schema {schema}; grant the user CREATE on the database, or make the schema and grant CREATE on it"
    )]
    Schema {
        /// The schema.
        schema: String,
        /// What the server says.
        source: tokio_postgres::Error,
    },
    /// The tables cannot be made or brought up to date.
    #[error(
        "cannot migrate the tables of {database}; if a newer release has used them, run that one"
    )]
    Migrate {
        /// The file or schema.
        database: String,
        /// What failed.
        source: Box<refinery::Error>,
    },
    /// A thread cannot be started.
    #[error("cannot start the database's writer thread")]
    Thread(#[source] std::io::Error),
}
