//! An SQLite file: the thread that writes to it, and the connections that read from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use innkeeper_kit::{Clock, CrashPlan};
use rusqlite::Connection;

use super::lock::FileLock;
use super::log::LogWriter;
use super::readers::Readers;
use super::tables::{Session, Tables};
use super::writer::{Writer, WriterThread};
use super::{claim, connection, lock, rows};
use crate::OpenError;

/// A file that is used.
pub struct File {
    pub writer: Writer,
    pub readers: Arc<Readers>,
    pub clock: Arc<dyn Clock>,
}

/// A file that is locked and opened, and whose tables may still have to be made.
pub struct Opened {
    path: PathBuf,
    lock: FileLock,
    pub connection: Connection,
}

impl Opened {
    /// Locks and opens a file, which is created if it is missing.
    pub fn of(path: &Path) -> Result<Self, OpenError> {
        let lock = lock::take(path)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            connection: connection::open_for_writing(path)?,
        })
    }

    /// Migrates the tables of a service, ends every lease and claim, and returns the highest public
    /// id, or 0.
    pub fn prepare(&mut self, tables: &Tables) -> Result<i64, OpenError> {
        connection::migrate(&mut self.connection, tables, &self.path)?;
        let session = Session {
            connection: &self.connection,
            tables,
        };
        let prepared = || {
            // The lock proves that every earlier owner of a lease or claim is gone.
            session.prepare("DELETE FROM {lease}")?.execute([])?;
            claim::release_all(session)?;
            tables.look(&self.connection)?;
            rows::load_last_id(session)
        };
        prepared().map_err(|source| self.error(source))
    }

    /// What to say of an error of the file.
    pub fn error(&self, source: rusqlite::Error) -> OpenError {
        OpenError::Database {
            file: self.path.clone(),
            source,
        }
    }

    /// Starts to write and read.
    pub fn start(
        self,
        log: Option<LogWriter>,
        clock: Arc<dyn Clock>,
        crash: CrashPlan,
    ) -> Result<File, OpenError> {
        let readers = Readers::open(&self.path)?;
        let thread = WriterThread {
            connection: self.connection,
            log,
            clock: Arc::clone(&clock),
            crash,
        };
        let writer = Writer::start(thread, self.lock).map_err(OpenError::Thread)?;
        Ok(File {
            writer,
            readers: Arc::new(readers),
            clock,
        })
    }
}

impl File {
    /// Finishes the work that was accepted, then closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
