//! The log in the file that the services of a platform share.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_broker::Retention;
use innkeeper_kit::log::Log;
use innkeeper_storage::{PlatformFile, PlatformOptions};
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::until;
use jiff::SignedDuration;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::conformance;
use crate::reader::{Reader, numbered, texts};
use crate::subject::{AppendAll, Subject, check, records};

struct Shared {
    file: PlatformFile,
    clock: Arc<MockClock>,
    folder: TempDir,
}

async fn shared() -> Shared {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(MockClock::default());
    let options = PlatformOptions {
        retention: Retention::of(SignedDuration::from_hours(1), clock.clone()),
        ..PlatformOptions::new("rentcar".to_owned(), Vec::new())
    };
    let file = PlatformFile::open(&folder.path().join("platform.db"), options).await;
    Shared {
        file: file.unwrap(),
        clock,
        folder,
    }
}

#[async_trait]
impl Subject for Shared {
    fn log(&self, group: &str) -> Arc<dyn Log> {
        self.file.log(group)
    }

    fn stores_ids_once(&self) -> bool {
        false
    }

    async fn retire(&self) {
        self.clock.advance(SignedDuration::from_hours(2));
    }
}

conformance!(Box::new(shared().await));

#[tokio::test]
async fn an_offset_reaches_the_file_without_a_close_and_is_kept() {
    let shared = shared().await;
    let log = shared.log("g");
    log.append_all(records("a", 5)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(5).await;
    reader.mark_done(&read[..3]).await;
    let beside = Connection::open(shared.folder.path().join("platform.db")).unwrap();
    until("the offset is written", async || {
        let saved = "SELECT max(next_offset) FROM offsets";
        let saved: Option<i64> = beside.query_row(saved, [], |row| row.get(0)).unwrap();
        (saved == Some(3)).then_some(()).ok_or(format!("{saved:?}"))
    })
    .await;
    shared.file.close().await;

    let options = PlatformOptions::new("rentcar".to_owned(), Vec::new());
    let file = PlatformFile::open(&shared.folder.path().join("platform.db"), options).await;
    let mut reader = Reader::join(&*file.unwrap().log("g")).await;
    assert_eq!(texts(&reader.read(2).await), numbered("a", 3, 5));
}

#[tokio::test]
async fn a_consumer_far_behind_reads_from_the_file() {
    let shared = shared().await;
    let log = shared.log("g");
    log.append_all(records("a", 10_000)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(texts(&reader.read(10_000).await), numbered("a", 0, 10_000));
}

#[tokio::test]
async fn members_without_partitions_are_told_and_take_over() {
    check(Box::new(shared().await), async |subject| {
        crate::cases::members_without_partitions_are_told_and_take_over(subject).await;
    })
    .await;
}
