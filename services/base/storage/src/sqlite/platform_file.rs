//! One file for the rows and the log of all services of a platform.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_broker::Retention;
use innkeeper_broker::embedded::offsets::Offsets;
use innkeeper_broker::embedded::tail::Tail;
use innkeeper_broker::embedded::{Bounds, CommitError, Groups, Journal};
use innkeeper_broker::sqlite::table::{claim_topic, load_bounds, load_offsets};
use innkeeper_kit::CrashPlan;
use innkeeper_kit::log::{Log, LogError, NewRecord, Record};
use innkeeper_kit::store::{Store, StoreError};
use rusqlite::Connection;
use tokio::sync::watch;

use super::Sqlite;
use super::connection::store_error;
use super::file::{File, Opened};
use super::leftovers;
use super::log::{LogWriter, table};
use super::tables::Tables;
use super::writer::Transaction;
use crate::OpenError;

/// How many of the newest records are also kept in memory.
const TAIL_RECORDS: usize = 4096;

/// How a platform's file is opened.
pub struct PlatformOptions {
    /// Name of the topic.
    pub topic: String,
    /// The services that keep their rows in the file.
    pub services: Vec<PlatformService>,
    /// How long records are kept, and the clock of the file.
    pub retention: Retention,
    /// At which crash point the process dies, in tests.
    pub crash: CrashPlan,
}

/// A service that keeps its rows in a platform's file.
#[derive(Clone, Debug)]
pub struct PlatformService {
    /// Name of the service.
    pub name: String,
    /// Its consumer group. Records are kept until it has read them.
    pub group: String,
}

impl PlatformOptions {
    /// A file for these services, which keeps records as long as Kafka does by default.
    pub fn new(topic: String, services: Vec<PlatformService>) -> Self {
        Self {
            topic,
            services,
            retention: Retention::default(),
            crash: CrashPlan::default(),
        }
    }
}

/// One file for the rows and the log of all services of a platform. What a step changes and the
/// events that it adds to the log are one commit, so that no relay has to send them.
pub struct PlatformFile {
    file: Arc<File>,
    groups: Groups,
    stores: HashMap<String, Arc<dyn Store>>,
}

impl PlatformFile {
    /// Opens the file and migrates its tables. The file is created if it is missing; its folder
    /// must exist.
    pub async fn open(path: &Path, options: PlatformOptions) -> Result<Self, OpenError> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(&path, options))
            .await
            .expect("opening does not panic and is not aborted")
    }

    fn open_blocking(path: &Path, options: PlatformOptions) -> Result<Self, OpenError> {
        let mut opened = Opened::of(path)?;
        let connection = &opened.connection;
        let load = || {
            table::create(connection)?;
            leftovers::create(connection)?;
            let holds = claim_topic(connection, &options.topic)?;
            let bounds = load_bounds(connection)?;
            Ok((holds, bounds, load_offsets(connection)?))
        };
        let (holds, bounds, offsets) = load().map_err(|source| opened.error(source))?;
        if holds != options.topic {
            return Err(OpenError::OtherTopic {
                file: path.to_owned(),
                holds,
                topic: options.topic,
            });
        }
        let mut services = Vec::new();
        let mut groups = Vec::new();
        for PlatformService { name, group } in options.services {
            let tables = Arc::new(Tables::of(&name));
            let last_id = opened.prepare(&tables)?;
            services.push((name, tables, last_id));
            groups.push(group);
        }
        let tail = Arc::new(Tail::new(bounds, TAIL_RECORDS));
        let clock = options.retention.clock();
        let log = LogWriter::new(Arc::clone(&tail), options.retention, groups);
        let file = Arc::new(opened.start(Some(log), clock, options.crash)?);
        let journal = FileJournal {
            file: Arc::clone(&file),
            tail,
            offsets: Offsets::of(offsets),
        };
        let stores = services.into_iter().map(|(service, tables, last_id)| {
            let store = Sqlite::of(Arc::clone(&file), tables, last_id, false);
            (service, Arc::new(store) as Arc<dyn Store>)
        });
        Ok(Self {
            stores: stores.collect(),
            groups: Groups::of(Arc::new(journal)),
            file,
        })
    }

    /// The store of a service; `None` if the file was not opened for it. Closing it does nothing:
    /// the file is closed for all services at once.
    pub fn store(&self, service: &str) -> Option<Arc<dyn Store>> {
        self.stores.get(service).cloned()
    }

    /// The log as the services of one group see it.
    pub fn log(&self, group: &str) -> Arc<dyn Log> {
        self.groups.log(group)
    }

    /// Services that are not among these and have rows in the file, with how many.
    pub async fn find_rows_of_others(
        &self,
        services: Vec<String>,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let read =
            move |connection: &Connection| leftovers::find_rows_of_others(connection, &services);
        Arc::clone(&self.file.readers).run(read).await
    }

    /// How many rows a service has; tombstones do not count.
    pub async fn count_rows(&self, service: &str) -> Result<i64, StoreError> {
        let service = service.to_owned();
        let read = move |connection: &Connection| leftovers::count_rows(connection, &service);
        Arc::clone(&self.file.readers).run(read).await
    }

    /// Keeps the description of a service, and returns the one before; `None` if there is none.
    pub async fn replace_description(
        &self,
        service: &str,
        description: String,
    ) -> Result<Option<String>, StoreError> {
        let service = service.to_owned();
        let replace = move |transaction: &Transaction<'_>| {
            let connection = transaction.connection;
            leftovers::replace_description(connection, &service, &description).map_err(store_error)
        };
        self.file.writer.run(replace, None).await
    }

    /// Finishes the work that was accepted, then closes the file.
    pub async fn close(&self) {
        self.file.close().await;
    }
}

struct FileJournal {
    file: Arc<File>,
    tail: Arc<Tail>,
    offsets: Offsets,
}

impl FileJournal {
    async fn write(&self, records: Vec<NewRecord>) -> Result<(), StoreError> {
        let append = move |transaction: &Transaction<'_>| {
            let log = transaction.log.expect("a platform's file has a log");
            let mut records = records.iter().cloned();
            let appended =
                records.try_for_each(|record| log.append(transaction.connection, record, None));
            appended.map_err(store_error)
        };
        self.file.writer.run(append, None).await
    }
}

fn unavailable(error: StoreError) -> LogError {
    LogError::Unavailable(Box::new(error))
}

#[async_trait]
impl Journal for FileJournal {
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), CommitError> {
        let written = self.write(records).await;
        written.map_err(|error| Arc::new(error) as CommitError)
    }

    async fn read(&self, from: i64, limit: usize) -> Result<Vec<Arc<Record>>, LogError> {
        if let Some(records) = self.tail.read(from, limit) {
            return Ok(records);
        }
        let read = move |connection: &Connection| table::read(connection, from, limit);
        let read = Arc::clone(&self.file.readers).run(read).await;
        read.map_err(unavailable)
    }

    fn bounds(&self) -> watch::Receiver<Bounds> {
        self.tail.subscribe()
    }

    fn committed(&self, group: &str) -> Option<i64> {
        self.offsets.get(group)
    }

    fn commit(&self, group: &str, next: i64) {
        let save = |offset| self.file.writer.save_offset(group, offset);
        self.offsets.advance(group, next, save);
    }

    async fn flush(&self) -> Result<(), LogError> {
        self.write(Vec::new()).await.map_err(unavailable)
    }
}
