//! The log in an SQLite file, for all services of one process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use innkeeper_kit::log::{Log, LogError, NewRecord, Record};
use nix::fcntl::{Flock, FlockArg};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::Retention;
use crate::embedded::offsets::Offsets;
use crate::embedded::tail::Tail;
use crate::embedded::{Bounds, CommitError, Groups, Journal};

pub mod table;
mod writer;

use writer::Writer;

/// How many of the newest records are also kept in memory.
const TAIL_RECORDS: usize = 4096;

/// Why the file of an SQLite log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Another process, or another handle in this process, has locked the file.
    #[error(
        "the log {file} is in use by another process; stop that one first, or choose another data folder"
    )]
    InUse { file: PathBuf },
    /// The lock file beside it cannot be created.
    #[error("cannot lock the log {file}")]
    Lock {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// SQLite cannot read or write the file.
    #[error("cannot open the log {file}")]
    Sqlite {
        file: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// The file holds the records of another topic.
    #[error("the log {file} holds the topic {holds}, not {topic}")]
    OtherTopic {
        file: PathBuf,
        /// The topic in the file.
        holds: String,
        /// The topic that was asked for.
        topic: String,
    },
}

/// A log in an SQLite file. Appended records are durable when append returns, every record id is
/// stored once, and one consumer per group reads at a time.
#[derive(Clone)]
pub struct SqliteLog(Groups);

impl SqliteLog {
    /// Opens or creates the file; its folder must exist. Nobody else can open it until the last
    /// handle is dropped.
    pub fn open(file: &Path, topic: &str) -> Result<Self, SqliteOpenError> {
        Self::open_with(file, topic, Retention::default())
    }

    /// Opens or creates the file with this retention.
    pub fn open_with(
        file: &Path,
        topic: &str,
        retention: Retention,
    ) -> Result<Self, SqliteOpenError> {
        let lock = lock(file)?;
        let sqlite_error = |source| SqliteOpenError::Sqlite {
            file: file.to_owned(),
            source,
        };
        let connection = table::open(file).map_err(sqlite_error)?;
        let holds = table::claim_topic(&connection, topic).map_err(sqlite_error)?;
        if holds != topic {
            return Err(SqliteOpenError::OtherTopic {
                file: file.to_owned(),
                holds,
                topic: topic.to_owned(),
            });
        }
        let reader = table::open_reader(file).map_err(sqlite_error)?;
        let journal = SqliteJournal::start(connection, reader, retention, lock);
        Ok(Self(Groups::of(Arc::new(journal.map_err(sqlite_error)?))))
    }

    /// The log as the services of one group see it.
    pub fn for_group(&self, group: &str) -> Arc<dyn Log> {
        self.0.log(group)
    }
}

/// Locks a separate file, because closing any handle of the database file would release SQLite's
/// own locks on it.
fn lock(file: &Path) -> Result<Flock<File>, SqliteOpenError> {
    let lock_error = |source| SqliteOpenError::Lock {
        file: file.to_owned(),
        source,
    };
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let beside = File::create(PathBuf::from(name)).map_err(lock_error)?;
    Flock::lock(beside, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        nix::errno::Errno::EWOULDBLOCK => SqliteOpenError::InUse {
            file: file.to_owned(),
        },
        errno => lock_error(errno.into()),
    })
}

struct SqliteJournal {
    tail: Arc<Tail>,
    reader: Arc<Mutex<Connection>>,
    offsets: Offsets,
    writer: Writer,
}

impl SqliteJournal {
    fn start(
        connection: Connection,
        reader: Connection,
        retention: Retention,
        lock: Flock<File>,
    ) -> Result<Self, rusqlite::Error> {
        let offsets = table::load_offsets(&connection)?;
        let tail = Arc::new(Tail::new(table::load_bounds(&connection)?, TAIL_RECORDS));
        Ok(Self {
            reader: Arc::new(Mutex::new(reader)),
            offsets: Offsets::of(offsets),
            writer: Writer::start(connection, Arc::clone(&tail), retention, lock),
            tail,
        })
    }

    async fn read_file(&self, from: i64, limit: usize) -> Result<Vec<Arc<Record>>, LogError> {
        let reader = Arc::clone(&self.reader);
        let read = tokio::task::spawn_blocking(move || {
            let connection = reader.lock().unwrap_or_else(PoisonError::into_inner);
            table::read(&connection, from, limit)
        });
        let records = read.await.map_err(unavailable)?;
        records.map_err(unavailable)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> LogError {
    LogError::Unavailable(Box::new(error))
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), CommitError> {
        let appended = self.writer.append(records).await;
        appended.map_err(|error| Arc::new(error) as CommitError)
    }

    async fn read(&self, from: i64, limit: usize) -> Result<Vec<Arc<Record>>, LogError> {
        match self.tail.read(from, limit) {
            Some(records) => Ok(records),
            None => self.read_file(from, limit).await,
        }
    }

    fn bounds(&self) -> watch::Receiver<Bounds> {
        self.tail.subscribe()
    }

    fn committed(&self, group: &str) -> Option<i64> {
        self.offsets.get(group)
    }

    fn commit(&self, group: &str, next: i64) {
        let save = |offset| self.writer.save_offset(group, offset);
        self.offsets.advance(group, next, save);
    }

    async fn flush(&self) -> Result<(), LogError> {
        self.writer.append(Vec::new()).await.map_err(unavailable)
    }
}
