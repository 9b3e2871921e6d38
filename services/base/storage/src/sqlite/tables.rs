//! The tables of one service, and statements on them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{CachedStatement, Connection};

/// The names of a service's tables in a file. In statements they stand in braces, as in
/// `SELECT * FROM {rows}`.
pub struct Tables {
    /// Stands before every name; `None` in a file that belongs to one service.
    service: Option<String>,
    /// The statements with these names, by where their text is, which is quicker than by the text.
    statements: Mutex<HashMap<(usize, usize), Arc<str>>>,
}

impl Tables {
    /// The tables in a file that belongs to one service.
    pub fn alone() -> Self {
        Self {
            service: None,
            statements: Mutex::default(),
        }
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
