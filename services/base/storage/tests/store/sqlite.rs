//! The suite on SQLite, and tests that need a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::clock::{Clock, SystemClock};
use innkeeper_kit::store::{Query, Store, StoreError};
use innkeeper_storage::{OpenError, Sqlite};
use innkeeper_testkit::clock::MockClock;
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::cases::kill;
use crate::given::{
    HOUR, Refused, Write, due, event, new_uuid, row, save, stored_events, stored_row, unpublished,
    write_of,
};
use crate::suite::{Fixture, conformance};

struct Folder {
    folder: TempDir,
    clock: Arc<MockClock>,
}

impl Folder {
    fn make() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("booking.db")
    }
}

#[async_trait]
impl Fixture for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Arc::new(Sqlite::open(&self.file(), clock).await.unwrap())
    }

    async fn pass_time(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }
}

conformance!(Folder);

async fn open(file: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(file, Arc::new(SystemClock)).await
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_has_closed() {
    let fixture = Folder::make();
    let first = open(&fixture.file()).await.unwrap();

    let refused = open(&fixture.file()).await.err().unwrap();
    let says = refused.to_string();
    assert!(matches!(refused, OpenError::InUse { .. }), "{says}");
    assert!(says.contains("booking.db is in use by another process"));

    first.close().await;
    open(&fixture.file()).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let fixture = Folder::make();
    let file = fixture.folder.path().join("missing").join("booking.db");
    let refused = open(&file).await.err().unwrap();
    assert!(matches!(refused, OpenError::File { .. }), "{refused}");
    assert!(refused.to_string().contains("missing/booking.db"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let fixture = Folder::make();
    std::fs::write(fixture.file(), "no database".repeat(100)).unwrap();
    let refused = open(&fixture.file()).await.err().unwrap();
    assert!(matches!(refused, OpenError::Database { .. }), "{refused}");
}

#[tokio::test]
async fn a_closed_file_is_one_file() {
    let fixture = Folder::make();
    let store = fixture.open().await;
    stored_row(&*store).await;

    store.close().await;

    assert!(!fixture.folder.path().join("booking.db-wal").exists());
}

#[tokio::test]
async fn published_events_leave_no_row_and_those_of_an_earlier_release_are_pruned() {
    let fixture = Folder::make();
    let store = fixture.open().await;
    let events = [
        event(new_uuid(), 1),
        event(new_uuid(), 1),
        event(new_uuid(), 1),
    ];
    stored_events(&*store, &events).await;
    let beside = rusqlite::Connection::open(fixture.file()).unwrap();
    let rows = || -> i64 {
        let count = "SELECT count(*) FROM outbox";
        beside.query_row(count, [], |row| row.get(0)).unwrap()
    };

    store.delete_published(vec![events[0].id]).await.unwrap();
    assert_eq!(rows(), 2);

    let mark = "UPDATE outbox SET published_at = 0 WHERE id = ?1";
    beside.execute(mark, [events[1].id.as_bytes()]).unwrap();
    assert_eq!(unpublished(&*store).await, [events[2].id]);
    assert_eq!(store.prune(HOUR).await.unwrap(), 1);
    assert_eq!(rows(), 1);
}

#[tokio::test]
async fn an_earlier_release_can_start_on_the_tables_of_this_one() {
    let fixture = Folder::make();
    fixture.open().await.close().await;
    let mut connection = rusqlite::Connection::open(fixture.file()).unwrap();
    let tables = include_str!("../../migrations/sqlite/V1__tables.sql").replace(['{', '}'], "");
    let known = [refinery::Migration::unapplied("V1__tables", &tables).unwrap()];

    refinery::Runner::new(&known).run(&mut connection).unwrap();

    let later =
        "INSERT INTO migrations SELECT 99, 'later', applied_on, '1' FROM migrations LIMIT 1";
    assert_eq!(connection.execute(later, []).unwrap(), 1);
    stored_row(&*fixture.open().await).await;
}

/// A migration that has run is never changed: a file in which it has would not open any more.
#[tokio::test]
async fn migrations_that_have_run_are_as_they_were() {
    let fixture = Folder::make();
    fixture.open().await.close().await;
    let connection = rusqlite::Connection::open(fixture.file()).unwrap();
    let sql = "
        SELECT name, checksum FROM refinery_schema_history
        UNION ALL SELECT name, checksum FROM migrations WHERE version < 5 ORDER BY name";
    let mut sql = connection.prepare(sql).unwrap();
    let checksums = sql
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let checksums: Vec<(String, String)> = checksums.map(Result::unwrap).collect();
    let expected = [
        ("dead_letters", "17649092442930633404"),
        ("parked_events", "5932085159143945332"),
        ("several_rows", "1239791848001162798"),
        ("tables", "10489829937175642875"),
    ];
    let expected = expected.map(|(name, checksum)| (name.to_owned(), checksum.to_owned()));
    assert_eq!(checksums, expected);
}

#[tokio::test]
async fn a_claim_ends_with_the_process_that_has_taken_it() {
    let fixture = Folder::make();
    let store = fixture.open().await;
    stored_row(&*store).await;
    assert_eq!(store.claim_due(due(new_uuid())).await.unwrap().len(), 1);
    assert_eq!(store.claim_due(due(new_uuid())).await.unwrap().len(), 0);
    store.close().await;

    let store = fixture.open().await;

    assert_eq!(store.claim_due(due(new_uuid())).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_that_was_rolled_back_is_not_the_fault_of_what_was_in_it() {
    let fixture = Folder::make();
    let store = fixture.open().await;
    stored_row(&*store).await;
    // As on a full disk, SQLite rolls back more than the one write.
    let trigger =
        "CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
    let connection = rusqlite::Connection::open(fixture.file()).unwrap();
    connection.execute_batch(trigger).unwrap();

    let write = Write {
        inbox: Some(new_uuid()),
        ..write_of(row(new_uuid(), 2))
    };
    let refused = save(&*store, write).await.unwrap_err();

    let is_unavailable = matches!(refused, Refused::Store(StoreError::Unavailable(_)));
    assert!(is_unavailable, "{refused:?}");
    assert_eq!(store.list(Query::page(0, 10)).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_a_kill() {
    if let Some(file) = kill::database_to_write_to() {
        kill::write_until_killed(&open(Path::new(&file)).await.unwrap()).await;
    }
    let fixture = Folder::make();
    let test = "sqlite::every_acknowledged_write_survives_a_kill";
    let file = fixture.file().display().to_string();

    let sagas = kill::sagas_written_by_a_killed_process(test, &file);

    let store = open(&fixture.file()).await.unwrap();
    kill::assert_nothing_is_lost_or_torn(&store, &sagas).await;
}
