//! The port [`Store`] on SQLite and on PostgreSQL: rows, outbox, inbox, idempotency keys and dead
//! letters of one service, written together; and [`PlatformFile`], which holds those of all
//! services of a platform, and their log, in one SQLite file. It never decides what is written or
//! retried, and uses only the database's time (on SQLite the [`Clock`] that it is given). Start
//! reading at [`Sqlite`], whose writer puts many writes into one commit, and [`Postgres`], where a
//! write is one statement.

mod migrations;
mod open_error;
pub mod postgres;
pub mod sqlite;

use std::sync::Arc;

use innkeeper_contracts::settings::Database;
use innkeeper_kit::Clock;
use innkeeper_kit::store::Store;

pub use open_error::OpenError;
pub use postgres::{Credentials, Postgres, PostgresOptions};
pub use sqlite::{PlatformFile, PlatformOptions, PlatformService, Sqlite};

/// Opens the store that a service's settings name, and creates or migrates its tables.
pub async fn open(settings: &Database, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, OpenError> {
    match settings {
        Database::Sqlite(sqlite) => Ok(Arc::new(Sqlite::open(&sqlite.file, clock).await?)),
        Database::Postgres(postgres) => {
            let options = PostgresOptions::from_settings(postgres);
            Ok(Arc::new(Postgres::open(options).await?))
        }
    }
}
