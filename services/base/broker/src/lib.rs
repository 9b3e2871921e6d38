//! The log that services append to and consume from: on a Kafka topic, in an SQLite file, or in
//! memory. It never reads the content of a record, never drops a record that a broker stored twice,
//! and never commits an offset before the effect. Start reading at [`open`], then [`KafkaLog`] for
//! a cluster. The log of a platform in one process lies in the file of its rows, in the storage
//! crate.

use std::sync::Arc;

use innkeeper_contracts::settings;
use innkeeper_kit::log::{Log, LogError};

pub mod embedded;
pub mod kafka;
pub mod memory;
mod retention;
pub mod sqlite;

pub use kafka::KafkaLog;
pub use memory::MemoryLog;
pub use retention::Retention;
pub use sqlite::SqliteLog;

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite file cannot be used.
    #[error(transparent)]
    Sqlite(#[from] sqlite::SqliteOpenError),
    /// The Kafka client could not be created.
    #[error("cannot make a Kafka client")]
    Kafka(#[source] LogError),
}

/// Opens the log of a single service from its settings.
pub fn open(settings: &settings::Log) -> Result<Arc<dyn Log>, OpenError> {
    match settings {
        settings::Log::Kafka(kafka) => {
            let log = KafkaLog::connect(kafka).map_err(OpenError::Kafka)?;
            Ok(Arc::new(log))
        }
        settings::Log::Sqlite(sqlite) => {
            let log = SqliteLog::open(&sqlite.file, &sqlite.topic)?;
            Ok(log.for_group(&sqlite.group))
        }
    }
}
