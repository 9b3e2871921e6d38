//! A log under test.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{AppendError, Log, NewRecord};
use uuid::Uuid;

/// A log under test, with operations that the port does not have.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The log as a group sees it.
    fn log(&self, group: &str) -> Arc<dyn Log>;

    /// Whether a repeated id is stored once.
    fn stores_ids_once(&self) -> bool;

    /// Appends malformed records that no service wrote, and returns how many.
    async fn append_poison(&self) -> usize {
        let log = self.log("poisoner");
        log.append_all(vec![poison()]).await.unwrap();
        1
    }

    /// Lets retention delete every record that is there, at the latest with the next append.
    async fn retire(&self);

    /// Removes what the subject has created outside this process.
    async fn take_down(self: Box<Self>) {}
}

/// Appends records and waits until the log has answered for each.
#[async_trait]
pub trait AppendAll: Log {
    /// What became of each record, in their order.
    async fn append_each(&self, records: Vec<NewRecord>) -> Vec<Result<(), AppendError>> {
        let count = records.len();
        let mut appended: Vec<_> = self.append(records).collect().await;
        appended.sort_by_key(|(index, _)| *index);
        let indices: Vec<_> = appended.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, (0..count).collect::<Vec<_>>(), "each is told once");
        appended.into_iter().map(|(_, result)| result).collect()
    }

    /// The first error, if not every record was appended.
    async fn append_all(&self, records: Vec<NewRecord>) -> Result<(), AppendError> {
        self.append_each(records).await.into_iter().collect()
    }
}

impl<L: Log + ?Sized> AppendAll for L {}

/// Runs a case and takes the subject down, whatever becomes of the case.
pub async fn check(subject: Box<dyn Subject>, case: impl AsyncFnOnce(&dyn Subject)) {
    let outcome = AssertUnwindSafe(case(&*subject)).catch_unwind().await;
    subject.take_down().await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// A record without headers, and with bytes that are not UTF-8.
fn poison() -> NewRecord {
    NewRecord {
        id: Uuid::now_v7(),
        key: String::new(),
        headers: Vec::new(),
        payload: vec![0xff, 0x00, 0xfe],
    }
}

/// A record whose payload is `key:number`.
pub fn record(key: &str, number: usize) -> NewRecord {
    let id = Uuid::now_v7();
    NewRecord {
        id,
        key: key.to_owned(),
        headers: vec![("ce_id".into(), id.to_string())],
        payload: format!("{key}:{number}").into_bytes(),
    }
}

/// Records of a key, numbered from 0.
pub fn records(key: &str, count: usize) -> Vec<NewRecord> {
    (0..count).map(|number| record(key, number)).collect()
}
