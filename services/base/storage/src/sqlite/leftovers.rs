//! What a platform's file holds of an earlier description of the platform.

use rusqlite::{Connection, OptionalExtension as _};

use super::tables::Tables;

/// What stands behind the name of a service in the name of its table of rows.
const ROWS: &str = ".rows";

/// The description of each service that the file was opened with the last time. A service's own
/// tables have a dot in their names.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS descriptions (
    service     TEXT PRIMARY KEY,
    description TEXT NOT NULL
) WITHOUT ROWID";

pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLE)
}

/// Keeps the description of a service, and returns the one before; `None` if there is none.
pub fn replace_description(
    connection: &Connection,
    service: &str,
    description: &str,
) -> rusqlite::Result<Option<String>> {
    let select = "SELECT description FROM descriptions WHERE service = ?1";
    let before: Option<String> = connection
        .query_row(select, [service], |columns| columns.get(0))
        .optional()?;
    if before.as_deref() != Some(description) {
        let replace = "INSERT OR REPLACE INTO descriptions (service, description) VALUES (?1, ?2)";
        connection.execute(replace, [service, description])?;
    }
    Ok(before)
}

/// How many rows a service has; tombstones do not count.
pub fn count_rows(connection: &Connection, service: &str) -> rusqlite::Result<i64> {
    let count = Tables::of(service).named("SELECT count(*) FROM {rows} WHERE id IS NOT NULL");
    connection.query_row(&count, [], |columns| columns.get(0))
}

/// Services that are not among these and have rows, with how many.
pub fn find_rows_of_others(
    connection: &Connection,
    services: &[String],
) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(sql)?;
    let tables = tables.query_map([], |columns| columns.get(0))?;
    let mut found = Vec::new();
    for table in tables.collect::<rusqlite::Result<Vec<String>>>()? {
        let Some(service) = table.strip_suffix(ROWS) else {
            continue;
        };
        if !services.iter().any(|it| it == service) {
            found.push((service.to_owned(), count_rows(connection, service)?));
        }
    }
    found.retain(|(_, rows)| *rows > 0);
    Ok(found)
}
