//! The only thread that writes: it puts all waiting work into one commit, and answers after the
//! commit.

mod queue;
mod work;

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use innkeeper_kit::store::StoreError;
use innkeeper_kit::{Clock, CrashPlan, CrashPoint};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{Mutex, oneshot};

use super::lock::FileLock;
use super::log::LogWriter;
use queue::{Queue, Taken};
use work::{CommitFailure, Task, Work};

pub use work::{Transaction, Wake};

/// The handle of the writer's thread.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
pub struct WriterThread {
    pub connection: Connection,
    /// The log in the same file; `None` if there is none.
    pub log: Option<LogWriter>,
    pub clock: Arc<dyn Clock>,
    /// At which crash point the process dies, in tests.
    pub crash: CrashPlan,
}

impl Writer {
    /// Starts the thread. It holds the file until it is closed or its handle is dropped.
    pub fn start(thread: WriterThread, lock: FileLock) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let waiting = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                let _abandoned = AbandonedAtEnd(&waiting);
                while let Some(taken) = waiting.take() {
                    thread.work(taken, &waiting);
                }
                close(thread.connection);
                drop(lock);
            })?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Does work and returns its result once it is durable. An error undoes only this piece of
    /// work. It is done again if other work of the same commit has to be undone.
    pub async fn run<T, E, F>(&self, work: F, wake: Option<Wake<T>>) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            work,
            outcome: None,
            reply,
            wake,
        };
        self.queue.add(Box::new(task))?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Saves the offset at which a group continues, with the next commit or soon after.
    pub fn save_offset(&self, group: &str, next: i64) {
        self.queue.save_offset(group, next);
    }

    /// Fails if work is no longer accepted.
    pub fn check_open(&self) -> Result<(), StoreError> {
        if self.queue.is_closed() {
            return Err(StoreError::Closed);
        }
        Ok(())
    }

    /// Finishes the work that was accepted, then releases file and lock.
    pub async fn close(&self) {
        let mut thread = self.thread.lock().await;
        let Some(thread) = thread.take() else { return };
        self.queue.close();
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the database's writer thread ended abnormally");
        }
    }
}

/// However the thread ends, nobody waits for it then.
struct AbandonedAtEnd<'a>(&'a Queue);

impl Drop for AbandonedAtEnd<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl WriterThread {
    /// Commits what was taken from the queue, and answers.
    fn work(&self, taken: Taken, queue: &Queue) {
        let Taken { mut work, offsets } = taken;
        match self.commit(&mut work, &offsets) {
            Ok(Commit::Done { has_changes }) => self.answer(work, has_changes),
            Ok(Commit::Undone) => {
                // First, since whoever waits for the work may rely on them.
                if self.commit(&mut [], &offsets).is_err() {
                    queue.give_back(offsets);
                }
                for work in work {
                    self.work_alone(work);
                }
            }
            Err(error) => {
                queue.give_back(offsets);
                tell_failure(work, &CommitFailure::from(error));
            }
        }
    }

    /// Commits a piece of work that was in a commit which had to be undone.
    fn work_alone(&self, work: Box<dyn Work>) {
        let mut alone = vec![work];
        match self.commit(&mut alone, &HashMap::new()) {
            Ok(Commit::Done { has_changes }) => self.answer(alone, has_changes),
            Ok(Commit::Undone) => self.answer(alone, false),
            Err(error) => tell_failure(alone, &CommitFailure::from(error)),
        }
    }

    fn answer(&self, work: Vec<Box<dyn Work>>, has_changes: bool) {
        for (answered, work) in work.into_iter().enumerate() {
            if answered == 1 && has_changes {
                self.crash.passed(CrashPoint::Answering);
            }
            work.answer(None);
        }
    }

    /// Does work in one transaction. If some of it fails after it has changed something, all of it
    /// is undone.
    fn commit(
        &self,
        work: &mut [Box<dyn Work>],
        offsets: &HashMap<String, i64>,
    ) -> rusqlite::Result<Commit> {
        if !self.connection.is_autocommit() {
            // The last commit failed, and so did its rollback.
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")?;
        let committed = self.fill_and_commit(work, offsets);
        if let Ok(Commit::Done { has_changes }) = committed {
            if has_changes {
                self.crash.passed(CrashPoint::Committed);
            }
            self.log.iter().for_each(LogWriter::committed);
            return committed;
        }
        self.log.iter().for_each(LogWriter::rolled_back);
        if !self.connection.is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        committed
    }

    fn fill_and_commit(
        &self,
        work: &mut [Box<dyn Work>],
        offsets: &HashMap<String, i64>,
    ) -> rusqlite::Result<Commit> {
        let transaction = Transaction {
            connection: &self.connection,
            now: self.clock.now(),
            log: self.log.as_ref(),
            has_effects: Cell::new(false),
        };
        let is_alone = work.len() == 1;
        let before_all = self.connection.total_changes();
        for work in work {
            let before = self.connection.total_changes();
            // A panic is the fault of one piece of work, and must not end the thread.
            let done = catch_unwind(AssertUnwindSafe(|| work.run(&transaction))).unwrap_or(false);
            if self.connection.is_autocommit() {
                if is_alone {
                    return Err(rolled_back_whole());
                }
                return Ok(Commit::Undone);
            }
            if !done && self.connection.total_changes() != before {
                return Ok(Commit::Undone);
            }
        }
        let has_changes = self.connection.total_changes() != before_all;
        if let Some(log) = &self.log {
            log.complete(&self.connection, offsets)?;
        }
        if transaction.has_effects.get() {
            self.crash.passed(CrashPoint::EffectsCommitting);
        }
        if has_changes {
            self.crash.passed(CrashPoint::Committing);
        }
        self.execute("COMMIT")?;
        Ok(Commit::Done { has_changes })
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        let mut sql = self.connection.prepare_cached(sql)?;
        sql.execute([]).map(drop)
    }
}

/// What became of a transaction.
enum Commit {
    Done {
        /// Whether its work has changed anything.
        has_changes: bool,
    },
    /// It was rolled back because some work failed.
    Undone,
}

fn tell_failure(work: Vec<Box<dyn Work>>, failure: &CommitFailure) {
    let CommitFailure { reason } = failure;
    tracing::error!(reason, writes = work.len(), "a commit failed");
    for work in work {
        work.answer(Some(failure));
    }
}

/// On some errors, such as a full disk, SQLite rolls the whole transaction back by itself
/// (<https://www.sqlite.org/lang_transaction.html>).
fn rolled_back_whole() -> rusqlite::Error {
    let code = rusqlite::ffi::Error {
        code: ErrorCode::OperationAborted,
        extended_code: rusqlite::ffi::SQLITE_ABORT_ROLLBACK,
    };
    rusqlite::Error::SqliteFailure(code, Some("the shared commit was rolled back".to_owned()))
}

fn close(connection: Connection) {
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let closed = connection
        .query_row(checkpoint, [], |_| Ok(()))
        .and_then(|()| connection.close().map_err(|(_, error)| error));
    if let Err(error) = closed {
        tracing::warn!(%error, "the database was not closed cleanly; what was written is safe");
    }
}

#[cfg(test)]
mod tests;
