//! What a platform's file holds of an earlier description of the platform.

use rusqlite::{Connection, params};

use super::tables::Tables;

/// What stands behind the name of a service in the name of its table of rows.
const ROWS: &str = ".rows";

/// Services that are not among these, with how many rows they have; those without rows are left
/// out.
pub fn rows_of_others(
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
        if services.iter().any(|it| it == service) {
            continue;
        }
        let count = Tables::of(service).named("SELECT count(*) FROM {rows} WHERE id IS NOT NULL");
        let rows = connection.query_row(&count, [], |columns| columns.get(0))?;
        found.push((service.to_owned(), rows));
    }
    found.retain(|(_, rows)| *rows > 0);
    Ok(found)
}

/// Those of the members of a service's rows that no row has; empty if there are no rows.
pub fn missing_members(
    connection: &Connection,
    service: &str,
    members: &[String],
) -> rusqlite::Result<Vec<String>> {
    let tables = Tables::of(service);
    let exists = |condition: &str, path: &str| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {{rows}} WHERE {condition})");
        connection.query_row(&tables.named(&sql), params![path], |columns| columns.get(0))
    };
    if !exists("?1 <> '' AND id IS NOT NULL", "$")? {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for member in members {
        if !exists(
            "json_type(body, ?1) IS NOT NULL",
            &format!("$.\"{member}\""),
        )? {
            missing.push(member.clone());
        }
    }
    Ok(missing)
}
