//! How migrations are run, whichever the database.
//!
//! Migrations only add tables and columns, and drop nothing but indexes, so that pods of two
//! releases can work on the same tables: during an upgrade, and after a rollback.

use refinery::{Migration, Runner};

/// The table in which the later migrations are recorded.
const HISTORY: &str = "migrations";

/// Runs the migration that all releases know.
pub fn first(migrations: &[Migration]) -> Runner {
    // In one transaction: a crash between the tables and their entry in the history would leave
    // tables that never open again.
    Runner::new(migrations).set_grouped(true)
}

/// Runs the others. They have a history of their own, because releases before 0.3.0 do not start if
/// the one that they know has more than the first migration. This one starts whatever later
/// releases have added.
pub fn later(migrations: &[Migration]) -> Runner {
    let mut runner = first(migrations).set_abort_missing(false);
    runner.set_migration_table_name(HISTORY);
    runner
}
