//! The only thread that writes: it puts all waiting work into one commit, and answers after the
//! commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use innkeeper_kit::Clock;
use innkeeper_kit::store::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use super::lock::FileLock;

/// How many pieces of work go into one commit at most.
const BATCH: usize = 256;
/// How many pieces of work may be queued before callers must wait.
const QUEUE: usize = 1024;

/// The handle of the writer thread.
pub struct Writer {
    queue: mpsc::Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    Work(Box<dyn Work>),
    Close,
}

impl Writer {
    /// Starts the thread. It owns connection and lock until it is closed or its last handle is
    /// dropped.
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

    /// Does work in a savepoint of its own and returns its result once it is durable. An error
    /// undoes only this piece of work.
    pub async fn run<T, E, F>(&self, work: F, wake: Option<Wake<T>>) -> Result<T, E>
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
            wake,
        };
        let job = Job::Work(Box::new(task));
        self.queue.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
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
        // The thread may have ended by itself. Then there is nothing left to close.
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
                Job::Work(_) => {} // came after the close: dropping it tells its caller
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
    if !connection.is_autocommit() {
        // The last commit failed, and so did its rollback.
        execute(connection, "ROLLBACK")?;
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
    // A panic is the fault of one piece of work, and must not end the thread.
    let keep = catch_unwind(AssertUnwindSafe(|| work.run(connection, now))).unwrap_or(false);
    if connection.is_autocommit() {
        return Err(rolled_back_whole());
    }
    if !keep {
        execute(connection, "ROLLBACK TO work")?;
    }
    execute(connection, "RELEASE work")
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

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn answer(batch: &mut Vec<Box<dyn Work>>, committed: rusqlite::Result<()>) {
    let failure = committed.err().map(CommitFailure::from);
    if let Some(CommitFailure { reason }) = &failure {
        tracing::error!(reason, writes = batch.len(), "a commit failed");
    }
    for work in batch.drain(..) {
        work.answer(failure.as_ref());
    }
}

/// The failure of a commit, which all work in it is told.
struct CommitFailure {
    reason: String,
}

impl From<rusqlite::Error> for CommitFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            reason: format!("the commit failed: {error}"),
        }
    }
}

impl From<&CommitFailure> for StoreError {
    /// It is the fault of no single piece of work, so that each may be tried again.
    fn from(failure: &CommitFailure) -> Self {
        Self::Unavailable(failure.reason.as_str().into())
    }
}

fn panicked() -> StoreError {
    StoreError::Failed("the work on the database panicked".into())
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
    /// Does the work; `false` means that it must be undone.
    fn run(&mut self, connection: &Connection, now: Timestamp) -> bool;

    /// Tells the caller the result, or the failure of the commit.
    fn answer(self: Box<Self>, failure: Option<&CommitFailure>);
}

/// Whom to wake once a result is durable.
pub struct Wake<T> {
    pub waiting: Arc<Notify>,
    /// Whether the result concerns them.
    pub is_due: fn(&T) -> bool,
}

struct Task<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    wake: Option<Wake<T>>,
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

    fn answer(self: Box<Self>, failure: Option<&CommitFailure>) {
        let outcome = match failure {
            Some(failure) => Err(StoreError::from(failure).into()),
            None => self.outcome.unwrap_or_else(|| Err(panicked().into())),
        };
        if let (Ok(result), Some(wake)) = (&outcome, &self.wake)
            && (wake.is_due)(result)
        {
            wake.waiting.notify_one();
        }
        // The caller may have gone. The result is durable all the same.
        let _ = self.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::sqlite::connection::store_error;
    use crate::sqlite::{connection, lock};

    /// A clock that advances at every reading, so that work of one commit can be recognized by its
    /// time.
    #[derive(Default)]
    struct Ticking(AtomicI64);

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            connection::instant(self.0.fetch_add(1, Ordering::SeqCst))
        }
    }

    struct Fixture {
        writer: Writer,
        _folder: tempfile::TempDir,
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let lock = lock::take(&file).unwrap();
        let connection = connection::open_for_writing(&file).unwrap();
        connection
            .execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
            .unwrap();
        let writer = Writer::start(connection, lock, Arc::new(Ticking::default())).unwrap();
        Fixture {
            writer,
            _folder: folder,
        }
    }

    fn insert(connection: &Connection, number: i64) -> Result<(), StoreError> {
        connection
            .execute("INSERT INTO numbers VALUES (?1)", [number])
            .map(drop)
            .map_err(store_error)
    }

    async fn numbers(writer: &Writer) -> Vec<i64> {
        let read = |connection: &Connection, _| {
            let mut sql = connection.prepare("SELECT number FROM numbers").unwrap();
            let numbers = sql.query_map([], |row| row.get(0)).unwrap();
            Ok::<_, StoreError>(numbers.collect::<Result<_, _>>().unwrap())
        };
        writer.run(read, None).await.unwrap()
    }

    /// Blocks the thread until `rest` is queued behind it, so that all of `rest` shares one commit.
    async fn with_thread_held_up<T>(writer: &Writer, rest: impl Future<Output = T>) -> T {
        let (began, is_held) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel();
        let work = move |_: &Connection, _| {
            began.send(()).unwrap();
            Ok::<_, StoreError>(released.recv())
        };
        let rest = async {
            is_held.await.unwrap();
            tokio::join!(rest, async { release.send(()) }).0
        };
        tokio::join!(writer.run(work, None), rest).1
    }

    #[tokio::test]
    async fn work_that_waits_shares_a_commit_and_fails_alone() {
        let fixture = fixture();
        let twice = |number: i64| {
            let work = move |connection: &Connection, _| {
                insert(connection, number)?;
                insert(connection, number)
            };
            fixture.writer.run(work, None)
        };
        let once = |number: i64| {
            fixture.writer.run(
                move |connection, now| insert(connection, number).map(|()| now),
                None,
            )
        };
        let (first, failing, last) = with_thread_held_up(&fixture.writer, async {
            tokio::join!(once(2), twice(3), once(4))
        })
        .await;

        assert_eq!(first.unwrap(), last.unwrap(), "one commit");
        assert!(failing.is_err());
        assert_eq!(numbers(&fixture.writer).await, [2, 4]);
    }

    #[tokio::test]
    async fn a_commit_that_fails_is_told_to_all_of_it_and_the_next_one_works() {
        let fixture = fixture();
        let work = |number: i64| {
            let work = move |connection: &Connection, _| insert(connection, number);
            fixture.writer.run(work, None)
        };
        let rolls_back =
            |connection: &Connection, _| connection.execute_batch("ROLLBACK").map_err(store_error);

        let (before, culprit, after) = with_thread_held_up(&fixture.writer, async {
            tokio::join!(work(1), fixture.writer.run(rolls_back, None), work(3))
        })
        .await;

        for outcome in [before, culprit, after] {
            let is_unavailable = matches!(outcome, Err(StoreError::Unavailable(_)));
            assert!(is_unavailable, "no work is to blame: {outcome:?}");
        }
        assert!(numbers(&fixture.writer).await.is_empty());
        work(5).await.unwrap();
        assert_eq!(numbers(&fixture.writer).await, [5]);
    }

    #[tokio::test]
    async fn work_that_panics_fails_alone_and_the_thread_goes_on() {
        let fixture = fixture();
        let work = |number: i64| {
            let work = move |connection: &Connection, _| insert(connection, number);
            fixture.writer.run(work, None)
        };
        let panics = |connection: &Connection, _| {
            insert(connection, 2)?;
            let twice = insert(connection, 2);
            twice.expect("a panic on purpose");
            Ok::<_, StoreError>(())
        };

        let (before, culprit, after) = with_thread_held_up(&fixture.writer, async {
            tokio::join!(work(1), fixture.writer.run(panics, None), work(3))
        })
        .await;

        before.unwrap();
        let failed = matches!(culprit, Err(StoreError::Failed(_)));
        assert!(failed, "{culprit:?}");
        after.unwrap();
        assert_eq!(numbers(&fixture.writer).await, [1, 3]);
    }

    #[test]
    fn a_transaction_that_could_not_be_rolled_back_does_not_stop_the_next() {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE numbers (number INTEGER PRIMARY KEY)";
        connection.execute_batch(tables).unwrap();
        connection
            .execute_batch("BEGIN; INSERT INTO numbers VALUES (1)")
            .unwrap();
        let (reply, mut answer) = oneshot::channel();
        let task = Task {
            work: Some(|connection: &Connection, _| insert(connection, 2)),
            outcome: None,
            reply,
            wake: None,
        };
        let mut batch: Vec<Box<dyn Work>> = vec![Box::new(task)];

        let committed = commit_together(&connection, &mut batch, Timestamp::UNIX_EPOCH);
        super::answer(&mut batch, committed);

        assert!(matches!(answer.try_recv(), Ok(Ok(()))));
        let numbers = connection.query_row("SELECT sum(number) FROM numbers", [], |row| row.get(0));
        assert_eq!(numbers, Ok(2));
    }
}
