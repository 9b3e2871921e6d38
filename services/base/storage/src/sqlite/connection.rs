//! Opens and migrates the file, and converts SQLite's types and errors.

use std::path::Path;
use std::time::Duration;

use innkeeper_kit::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use refinery::Migration;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::tables::Tables;
use crate::{OpenError, migrations};

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for the statements of all services of a platform.
const CACHED_STATEMENTS: usize = 512;

/// `synchronous=FULL` syncs the write-ahead log at every commit. Checkpoints are as frequent as
/// SQLite's default has them: rarer ones cost no less, and hold up the commits behind them longer.
const WRITER_PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = OFF;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -16384;
    PRAGMA temp_store = MEMORY;
";

/// Opens the connection that writes; the file is created if it is missing.
pub fn open_for_writing(file: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    open(file, flags, WRITER_PRAGMAS)
}

/// Opens a connection that only reads.
pub fn open_for_reading(file: &Path) -> Result<Connection, OpenError> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY, "")
}

fn open(file: &Path, flags: OpenFlags, pragmas: &str) -> Result<Connection, OpenError> {
    let open = || {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        connection.execute_batch(pragmas)?;
        Ok(connection)
    };
    open().map_err(|source| OpenError::Database {
        file: file.to_owned(),
        source,
    })
}

/// Migrates the tables of a service.
pub fn migrate(connection: &mut Connection, tables: &Tables, file: &Path) -> Result<(), OpenError> {
    let migration = |name: &str, sql: &str| Migration::unapplied(name, &tables.named(sql));
    let mut run = || {
        let first = [migration(
            "V1__tables",
            include_str!("../../migrations/sqlite/V1__tables.sql"),
        )?];
        let later = [
            migration(
                "V2__several_rows",
                include_str!("../../migrations/sqlite/V2__several_rows.sql"),
            )?,
            migration(
                "V3__parked_events",
                include_str!("../../migrations/sqlite/V3__parked_events.sql"),
            )?,
            migration(
                "V4__dead_letters",
                include_str!("../../migrations/sqlite/V4__dead_letters.sql"),
            )?,
            migration(
                "V5__fewer_indexes",
                include_str!("../../migrations/sqlite/V5__fewer_indexes.sql"),
            )?,
        ];
        let mut first = migrations::first(&first);
        first.set_migration_table_name(tables.named("{refinery_schema_history}"));
        let mut later = migrations::later(&later);
        later.set_migration_table_name(tables.named("{migrations}"));
        for runner in [first, later] {
            runner.run(connection)?;
        }
        Ok::<_, refinery::Error>(())
    };
    run().map_err(|error| OpenError::Migrate {
        database: file.display().to_string(),
        source: Box::new(error),
    })
}

/// An instant as a column stores it: microseconds since 1970.
pub fn microseconds(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

/// The instant that a column stores.
pub fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The instant a duration after another, or the last possible one.
pub fn after(instant: Timestamp, duration: Duration) -> i64 {
    let later = SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| instant.checked_add(duration).ok());
    microseconds(later.unwrap_or(Timestamp::MAX))
}

/// The instant a duration before another, or the first possible one.
pub fn before(instant: Timestamp, duration: Duration) -> i64 {
    let earlier = SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| instant.checked_sub(duration).ok());
    microseconds(earlier.unwrap_or(Timestamp::MIN))
}

/// The store error for an error of SQLite.
pub fn store_error(error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code().is_some_and(is_fault_of_database) {
        return StoreError::Unavailable(Box::new(error));
    }
    StoreError::Failed(Box::new(error))
}

/// Whether the file or the machine is at fault, and not what was to be written or read: a later
/// attempt may succeed (<https://www.sqlite.org/rescode.html>).
fn is_fault_of_database(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn is_unavailable(code: i32) -> bool {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        matches!(store_error(error), StoreError::Unavailable(_))
    }

    #[test]
    fn a_fault_of_the_file_is_not_the_fault_of_what_is_written() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_CANTOPEN,
        ] {
            assert!(is_unavailable(code), "{code}");
        }
        for code in [
            ffi::SQLITE_CONSTRAINT,
            ffi::SQLITE_MISMATCH,
            ffi::SQLITE_ERROR,
        ] {
            assert!(!is_unavailable(code), "{code}");
        }
    }
}
