//! The log in an SQLite file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_broker::sqlite::SqliteOpenError;
use innkeeper_broker::{Retention, SqliteLog};
use innkeeper_contracts::settings;
use innkeeper_kit::log::{AppendError, Log, LogError};
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::until;
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::reader::{Reader, numbered, texts};
use crate::subject::{AppendAll, Subject, check, record, records};
use crate::{cases, conformance};

const TOPIC: &str = "rentcar";

struct Sqlite {
    log: SqliteLog,
    clock: Arc<MockClock>,
    _folder: TempDir,
}

fn sqlite() -> Box<dyn Subject> {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(MockClock::default());
    let retention = Retention::of(SignedDuration::from_hours(1), clock.clone());
    let log = SqliteLog::open_with(&folder.path().join("log.db"), TOPIC, retention).unwrap();
    Box::new(Sqlite {
        log,
        clock,
        _folder: folder,
    })
}

#[async_trait]
impl Subject for Sqlite {
    fn log(&self, group: &str) -> Arc<dyn Log> {
        self.log.for_group(group)
    }

    fn stores_ids_once(&self) -> bool {
        true
    }

    async fn retire(&self) {
        self.clock.advance(SignedDuration::from_hours(2));
    }
}

conformance!(sqlite());

#[tokio::test]
async fn members_without_partitions_are_told_and_take_over() {
    check(sqlite(), async |subject| {
        cases::members_without_partitions_are_told_and_take_over(subject).await;
    })
    .await;
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.db");
    (folder, file)
}

#[tokio::test]
async fn a_file_that_is_opened_again_goes_on_where_it_was() {
    let (_folder, file) = file();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    let repeated = record("a", 0);
    log.append_all(vec![repeated.clone(), record("a", 1), record("a", 2)])
        .await
        .unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(3).await;
    reader.mark_done(&read[..2]).await;
    drop((reader, log));

    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(vec![repeated, record("a", 3)])
        .await
        .unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(texts(&reader.read(2).await), numbered("a", 2, 4));
}

#[tokio::test]
async fn an_offset_reaches_the_file_without_a_close() {
    let (_folder, file) = file();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(records("a", 3)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(3).await;
    reader.mark_done(&read).await;
    offset_becomes(&file, 3).await;
}

#[tokio::test]
async fn a_close_writes_the_offset() {
    let (_folder, file) = file();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(records("a", 3)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(3).await;
    reader.mark_done(&read).await;
    reader.close().await;
    assert_eq!(stored_offset(&file), Some(3));
}

fn stored_offset(file: &Path) -> Option<i64> {
    let beside = rusqlite::Connection::open(file).unwrap();
    let newest = "SELECT max(next_offset) FROM offsets";
    beside.query_row(newest, [], |row| row.get(0)).unwrap()
}

async fn offset_becomes(file: &Path, offset: i64) {
    until("the offset is written", async || {
        let stored = stored_offset(file);
        let is_written = stored == Some(offset);
        is_written.then_some(()).ok_or(format!("{stored:?}"))
    })
    .await;
}

#[tokio::test]
async fn a_failed_commit_is_told_and_loses_no_offset() {
    let (_folder, file) = file();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(records("a", 2)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(2).await;
    let beside = rusqlite::Connection::open(&file).unwrap();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    reader.mark_done(&read).await;
    let refused = log.append_all(vec![record("b", 0)]).await;
    assert!(
        matches!(refused, Err(AppendError::NotNow(LogError::Unavailable(_)))),
        "{refused:?}"
    );
    beside.execute_batch("ROLLBACK").unwrap();
    offset_becomes(&file, 2).await;
    log.append_all(vec![record("a", 2)]).await.unwrap();
    assert_eq!(texts(&reader.read(1).await), ["a:2"]);
}

#[tokio::test]
async fn a_consumer_far_behind_reads_from_the_file() {
    let (_folder, file) = file();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(records("a", 10_000)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(texts(&reader.read(10_000).await), numbered("a", 0, 10_000));
}

#[tokio::test]
async fn offsets_never_begin_anew() {
    let (_folder, file) = file();
    let clock = Arc::new(MockClock::default());
    let retention = Retention::of(SignedDuration::from_hours(1), clock.clone());
    let log = SqliteLog::open_with(&file, TOPIC, retention.clone())
        .unwrap()
        .for_group("g");
    log.append_all(records("a", 5)).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    log.append_all(Vec::new()).await.unwrap();
    drop(log);
    let log = SqliteLog::open_with(&file, TOPIC, retention)
        .unwrap()
        .for_group("g");
    log.append_all(vec![record("a", 5)]).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(reader.read(1).await[0].offset, 5);
}

#[tokio::test]
async fn a_row_that_nobody_understands_stops_nothing() {
    let (_folder, file) = file();
    drop(SqliteLog::open(&file, TOPIC).unwrap());
    let beside = rusqlite::Connection::open(&file).unwrap();
    let insert = "INSERT INTO records VALUES (0, x'00', NULL, 'no headers', x'ff', 9000000000000)";
    beside.execute(insert, []).unwrap();
    let log = SqliteLog::open(&file, TOPIC).unwrap().for_group("g");
    log.append_all(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(2).await;
    assert_eq!(
        (read[0].key.clone(), read[0].content.headers().len()),
        (None, 0)
    );
    assert_eq!(texts(&read[1..]), ["a:0"]);
}

#[test]
fn a_file_has_one_opener_at_a_time() {
    let (_folder, file) = file();
    let first = SqliteLog::open(&file, TOPIC).unwrap();
    let refused = SqliteLog::open(&file, TOPIC).err();
    assert!(
        matches!(refused, Some(SqliteOpenError::InUse { .. })),
        "{refused:?}"
    );
    drop(first);
    SqliteLog::open(&file, TOPIC).unwrap();
}

#[test]
fn a_file_holds_one_topic() {
    let (_folder, file) = file();
    drop(SqliteLog::open(&file, TOPIC).unwrap());
    let refused = SqliteLog::open(&file, "other").err();
    assert!(
        matches!(refused, Some(SqliteOpenError::OtherTopic { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn settings_open_a_log() {
    let (_folder, file) = file();
    let settings = settings::Log::Sqlite(settings::SqliteLog {
        file,
        topic: TOPIC.to_owned(),
        group: "g".to_owned(),
    });
    innkeeper_broker::open(&settings)
        .unwrap()
        .ping()
        .await
        .unwrap();
}
