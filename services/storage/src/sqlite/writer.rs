//! The one thread that writes: it takes the work that waits into one commit, and answers after it.

use std::sync::Arc;
use std::thread::JoinHandle;

use innkeeper_kit::Clock;
use innkeeper_kit::store::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use super::lock::FileLock;

/// How much work goes into one commit at most.
const BATCH: usize = 256;
/// How much work may wait before callers have to.
const QUEUE: usize = 1024;

/// The way to the thread that writes.
pub struct Writer {
    queue: mpsc::Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    Work(Box<dyn Work>),
    Close,
}

impl Writer {
    /// Starts the thread, which owns connection and lock until it is closed or every way to it is gone.
    pub fn start(
        connection: Connection,
        lock: FileLock,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                work_until_closed(&connection, waiting, &*clock);
                close(connection);
                drop(lock);
            })?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Does work in a savepoint of its own and returns its outcome once it is durable. An error of the work undoes that work alone.
    pub async fn run<T, E, F>(&self, work: F, notify: Option<Arc<Notify>>) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            work: Some(work),
            outcome: None,
            reply,
            notify,
        };
        let job = Job::Work(Box::new(task));
        self.queue.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Whether work is still accepted.
    pub fn check_open(&self) -> Result<(), StoreError> {
        if self.queue.is_closed() {
            return Err(StoreError::Closed);
        }
        Ok(())
    }

    /// Finishes the work that was accepted, and gives up file and lock.
    pub async fn close(&self) {
        let mut thread = self.thread.lock().await;
        let Some(thread) = thread.take() else { return };
        // The thread may have ended by itself; then there is nothing left to close.
        let _ = self.queue.send(Job::Close).await;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the database's writer thread ended abnormally");
        }
    }
}

fn work_until_closed(connection: &Connection, mut waiting: mpsc::Receiver<Job>, clock: &dyn Clock) {
    let mut jobs = Vec::with_capacity(BATCH);
    let mut batch: Vec<Box<dyn Work>> = Vec::with_capacity(BATCH);
    let mut closing = false;
    while !closing && waiting.blocking_recv_many(&mut jobs, BATCH) > 0 {
        for job in jobs.drain(..) {
            match job {
                Job::Work(work) if !closing => batch.push(work),
                Job::Work(_) => {} // came after the close; dropping it says so
                Job::Close => closing = true,
            }
        }
        let committed = commit_together(connection, &mut batch, clock.now());
        answer(&mut batch, committed);
    }
}

/// Runs every piece of work in a savepoint of its own, and commits what succeeded.
fn commit_together(
    connection: &Connection,
    batch: &mut [Box<dyn Work>],
    now: Timestamp,
) -> rusqlite::Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    execute(connection, "BEGIN IMMEDIATE")?;
    let committed = batch
        .iter_mut()
        .try_for_each(|work| run_in_savepoint(connection, &mut **work, now))
        .and_then(|()| execute(connection, "COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    committed
}

fn run_in_savepoint(
    connection: &Connection,
    work: &mut dyn Work,
    now: Timestamp,
) -> rusqlite::Result<()> {
    execute(connection, "SAVEPOINT work")?;
    let keep = work.run(connection, now);
    if connection.is_autocommit() {
        return Err(rolled_back_whole());
    }
    if !keep {
        execute(connection, "ROLLBACK TO work")?;
    }
    execute(connection, "RELEASE work")
}

/// SQLite undoes the whole transaction by itself on some errors, such as a full disk (<https://www.sqlite.org/lang_transaction.html>).
fn rolled_back_whole() -> rusqlite::Error {
    let code = rusqlite::ffi::Error {
        code: ErrorCode::OperationAborted,
        extended_code: rusqlite::ffi::SQLITE_ABORT_ROLLBACK,
    };
    rusqlite::Error::SqliteFailure(code, Some("the shared commit was rolled back".to_owned()))
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn answer(batch: &mut Vec<Box<dyn Work>>, committed: rusqlite::Result<()>) {
    let failure = committed.err().map(|error| error.to_string());
    if let Some(error) = &failure {
        tracing::error!(error, writes = batch.len(), "a commit failed");
    }
    for work in batch.drain(..) {
        work.answer(failure.as_deref());
    }
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

trait Work: Send {
    /// Does the work; false says that it must be undone.
    fn run(&mut self, connection: &Connection, now: Timestamp) -> bool;

    /// Tells the caller the outcome, unless the commit failed.
    fn answer(self: Box<Self>, failure: Option<&str>);
}

struct Task<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    notify: Option<Arc<Notify>>,
}

impl<T, E, F> Work for Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnOnce(&Connection, Timestamp) -> Result<T, E> + Send,
{
    fn run(&mut self, connection: &Connection, now: Timestamp) -> bool {
        self.outcome = self.work.take().map(|work| work(connection, now));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&str>) {
        let outcome = match (failure, self.outcome) {
            (None, Some(outcome)) => outcome,
            (failure, _) => Err(E::from(commit_failed(
                failure.unwrap_or("it was not tried"),
            ))),
        };
        if let (Ok(_), Some(notify)) = (&outcome, &self.notify) {
            notify.notify_one();
        }
        // Who asked may have gone; the outcome stands all the same.
        let _ = self.reply.send(outcome);
    }
}

fn commit_failed(reason: &str) -> StoreError {
    StoreError::Failed(format!("the commit failed: {reason}").into())
}
