//! The tables of one service, and statements on them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{CachedStatement, Connection};

/// The names of a service's tables in a file. In statements they stand in braces, as in
/// `SELECT * FROM {rows}`.
pub struct Tables {
    /// Stands before every name; `None` in a file that belongs to one service.
    service: Option<String>,
    /// The statements with these names, by where their text is, which is quicker than by the text.
    statements: Mutex<HashMap<(usize, usize), Arc<str>>>,
    /// Whether there may be dead letters.
    pub dead_letters: Presence,
    /// Whether there may be sagas of several rows.
    pub several_rows: Presence,
}

/// Whether a file may have something, so that each step need not look for it in vain. It is looked
/// for when the file is opened, noted before it is inserted, and only the thread that writes asks.
pub struct Presence(AtomicBool);

impl Presence {
    /// Notes that it may be there.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_possible(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Looks for it: `exists` is a query for one truth value.
    fn look(&self, session: Session<'_>, exists: &'static str) -> rusqlite::Result<()> {
        let found = session.prepare(exists)?.query_row([], |row| row.get(0))?;
        self.0.store(found, Ordering::Relaxed);
        Ok(())
    }
}

impl Default for Presence {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Tables {
    /// The tables in a file that belongs to one service.
    pub fn alone() -> Self {
        Self {
            service: None,
            statements: Mutex::default(),
            dead_letters: Presence::default(),
            several_rows: Presence::default(),
        }
    }

    /// Looks what the tables have.
    pub fn look(&self, connection: &Connection) -> rusqlite::Result<()> {
        let session = Session {
            connection,
            tables: self,
        };
        let letters = "SELECT EXISTS (SELECT 1 FROM {dead_letters})";
        self.dead_letters.look(session, letters)?;
        let parts = "SELECT EXISTS (SELECT 1 FROM {rows} WHERE saga_id IS NOT NULL)";
        self.several_rows.look(session, parts)
    }

    /// The tables of a service in a file that others use as well.
    pub fn of(service: &str) -> Self {
        Self {
            service: Some(service.replace('"', "\"\"")),
            ..Self::alone()
        }
    }

    /// A statement with the names of these tables.
    pub fn named(&self, statement: &str) -> String {
        match &self.service {
            None => statement.replace(['{', '}'], ""),
            Some(service) => statement
                .replace('{', &format!("\"{service}."))
                .replace('}', "\""),
        }
    }

    fn statement(&self, statement: &'static str) -> Arc<str> {
        let known = self.statements.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let named = known.entry((statement.as_ptr().addr(), statement.len()));
        Arc::clone(named.or_insert_with(|| self.named(statement).into()))
    }
}

/// A connection, and a service whose tables it is used for.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    pub connection: &'a Connection,
    pub tables: &'a Tables,
}

impl<'a> Session<'a> {
    /// A statement, which is prepared once for each connection.
    pub fn prepare(self, statement: &'static str) -> rusqlite::Result<CachedStatement<'a>> {
        let named = self.tables.statement(statement);
        self.connection.prepare_cached(&named)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tables of the file itself, whichever services are in it.
    const OF_THE_FILE: [&str; 6] = [
        "common_headers",
        "descriptions",
        "log",
        "offsets",
        "records",
        "sqlite_master",
    ];

    /// Tables and indexes of a service.
    const OF_A_SERVICE: [&str; 5] = ["{rows}", "{outbox}", "{lease}", "{migrations}", "{log}"];

    fn service() -> impl Strategy<Value = String> {
        let any = "[a-z]([-a-z0-9]{0,6}[a-z0-9])?";
        let near = "rows|log|records|outbox|sqlite|rows-log|log-rows|common-headers";
        prop_oneof![any.prop_map(String::from), near.prop_map(String::from)]
    }

    proptest! {
        #[test]
        fn tables_of_services_are_apart_from_one_another_and_from_those_of_the_file(
            one in service(),
            other in service(),
            table in prop::sample::select(OF_A_SERVICE.as_slice()),
            other_table in prop::sample::select(OF_A_SERVICE.as_slice()),
        ) {
            let named = Tables::of(&one).named(table);
            let is_same = named == Tables::of(&other).named(other_table);
            prop_assert_eq!(is_same, one == other && table == other_table);
            let bare = named.trim_matches('"');
            prop_assert!(!OF_THE_FILE.contains(&bare) && !bare.starts_with("sqlite_"));
        }
    }
}
