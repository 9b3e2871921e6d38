use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use super::*;
use crate::sqlite::connection::{instant, store_error};
use crate::sqlite::{connection, lock};

/// A clock that advances at every reading, so that work of one commit can be recognized by its
/// time.
#[derive(Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        instant(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

struct Fixture {
    writer: Writer,
    _folder: tempfile::TempDir,
}

const TABLE: &str = "CREATE TABLE numbers (number INTEGER PRIMARY KEY)";

fn thread_with_numbers(connection: Connection) -> WriterThread {
    connection.execute_batch(TABLE).unwrap();
    thread_on(connection)
}

fn thread_on(connection: Connection) -> WriterThread {
    WriterThread {
        connection,
        log: None,
        clock: Arc::new(Ticking::default()),
        crash: CrashPlan::default(),
    }
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let lock = lock::take(&file).unwrap();
    let connection = connection::open_for_writing(&file).unwrap();
    Fixture {
        writer: Writer::start(thread_with_numbers(connection), lock).unwrap(),
        _folder: folder,
    }
}

fn insert(transaction: &Transaction<'_>, number: i64) -> Result<(), StoreError> {
    transaction
        .connection
        .execute("INSERT INTO numbers VALUES (?1)", [number])
        .map(drop)
        .map_err(store_error)
}

/// Work that inserts a number, and returns the time of its commit.
fn inserting(
    number: i64,
) -> impl FnMut(&Transaction<'_>) -> Result<Timestamp, StoreError> + Send + 'static {
    move |transaction| insert(transaction, number).map(|()| transaction.now)
}

/// Inserts numbers in one commit, and returns what each is told.
fn inserted<const N: usize>(
    thread: &WriterThread,
    numbers: [i64; N],
) -> [Result<Timestamp, StoreError>; N] {
    let mut work: Vec<Box<dyn Work>> = Vec::new();
    let answers = numbers.map(|number| {
        let (reply, answer) = oneshot::channel();
        work.push(Box::new(Task {
            work: inserting(number),
            outcome: None,
            reply,
            wake: None,
        }));
        answer
    });
    let offsets = HashMap::new();
    thread.work(Taken { work, offsets }, &Queue::default());
    answers.map(|mut answer| answer.try_recv().unwrap())
}

async fn numbers(writer: &Writer) -> Vec<i64> {
    let read = |transaction: &Transaction<'_>| {
        let mut sql = transaction
            .connection
            .prepare("SELECT number FROM numbers")
            .unwrap();
        let numbers = sql.query_map([], |row| row.get(0)).unwrap();
        Ok::<_, StoreError>(numbers.collect::<Result<_, _>>().unwrap())
    };
    writer.run(read, None).await.unwrap()
}

/// Blocks the thread until `rest` is queued behind it, so that all of `rest` shares one commit.
async fn with_thread_held_up<T>(writer: &Writer, rest: impl Future<Output = T>) -> T {
    let (began, is_held) = oneshot::channel();
    let (release, released) = std::sync::mpsc::channel();
    let mut began = Some(began);
    let work = move |_: &Transaction<'_>| {
        began
            .take()
            .into_iter()
            .for_each(|began| began.send(()).unwrap());
        Ok::<_, StoreError>(released.recv())
    };
    let rest = async {
        is_held.await.unwrap();
        tokio::join!(rest, async { release.send(()) }).0
    };
    tokio::join!(writer.run(work, None), rest).1
}

#[tokio::test]
async fn work_that_waits_shares_a_commit() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);

    let rest = async { tokio::join!(once(2), once(3)) };
    let (first, last) = with_thread_held_up(&fixture.writer, rest).await;

    assert_eq!(first.unwrap(), last.unwrap(), "one commit");
    assert_eq!(numbers(&fixture.writer).await, [2, 3]);
}

#[tokio::test]
async fn work_that_fails_without_a_change_leaves_its_neighbours_their_commit() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);
    let declines = |_: &Transaction<'_>| Err::<(), _>(StoreError::Failed("on purpose".into()));

    let rest = async { tokio::join!(once(2), fixture.writer.run(declines, None), once(3)) };
    let (first, refused, last) = with_thread_held_up(&fixture.writer, rest).await;

    assert_eq!(first.unwrap(), last.unwrap(), "one commit");
    assert!(refused.is_err());
    assert_eq!(numbers(&fixture.writer).await, [2, 3]);
}

#[tokio::test]
async fn work_that_fails_after_a_change_fails_alone() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);
    let twice = |transaction: &Transaction<'_>| {
        insert(transaction, 3)?;
        insert(transaction, 3)
    };

    let rest = async { tokio::join!(once(2), fixture.writer.run(twice, None), once(4)) };
    let (first, failed, last) = with_thread_held_up(&fixture.writer, rest).await;

    first.unwrap();
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    last.unwrap();
    assert_eq!(numbers(&fixture.writer).await, [2, 4]);
}

#[tokio::test]
async fn what_rolls_a_whole_commit_back_is_told_alone_that_the_database_is_at_fault() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);
    let rolls_back = |transaction: &Transaction<'_>| {
        transaction
            .connection
            .execute_batch("ROLLBACK")
            .map_err(store_error)
    };

    let rest = async { tokio::join!(once(1), fixture.writer.run(rolls_back, None), once(3)) };
    let (first, culprit, last) = with_thread_held_up(&fixture.writer, rest).await;

    first.unwrap();
    assert!(
        matches!(culprit, Err(StoreError::Unavailable(_))),
        "{culprit:?}"
    );
    last.unwrap();
    assert_eq!(numbers(&fixture.writer).await, [1, 3]);
}

#[tokio::test]
async fn work_that_panics_fails_alone_and_the_thread_goes_on() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);
    let panics = |transaction: &Transaction<'_>| {
        insert(transaction, 2)?;
        let twice = insert(transaction, 2);
        twice.expect("a panic on purpose");
        Ok::<_, StoreError>(())
    };

    let rest = async { tokio::join!(once(1), fixture.writer.run(panics, None), once(3)) };
    let (first, culprit, last) = with_thread_held_up(&fixture.writer, rest).await;

    first.unwrap();
    assert!(matches!(culprit, Err(StoreError::Failed(_))), "{culprit:?}");
    last.unwrap();
    assert_eq!(numbers(&fixture.writer).await, [1, 3]);
}

#[test]
fn a_commit_that_fails_is_told_to_all_of_it_and_the_next_one_works() {
    // The constraint is looked at when the transaction is committed.
    let tables = "
        PRAGMA foreign_keys = ON;
        CREATE TABLE parents (number INTEGER PRIMARY KEY);
        CREATE TABLE numbers (number INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO parents VALUES (3)";
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(tables).unwrap();
    let thread = thread_on(connection);

    for told in inserted(&thread, [1, 2]) {
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    }
    let [told] = inserted(&thread, [3]);
    told.unwrap();
    let all = "SELECT group_concat(number) FROM numbers";
    let all: String = thread
        .connection
        .query_row(all, [], |row| row.get(0))
        .unwrap();
    assert_eq!(all, "3");
}

#[tokio::test]
async fn nobody_waits_for_a_thread_that_has_ended() {
    let fixture = fixture();
    let wake = Wake {
        waiting: Arc::default(),
        is_due: |_: &Timestamp| panic!("a panic on purpose"),
    };

    let first = fixture.writer.run(inserting(1), Some(wake)).await;
    let second = fixture.writer.run(inserting(2), None).await;

    for told in [first, second] {
        assert!(matches!(told, Err(StoreError::Closed)), "{told:?}");
    }
}

#[test]
fn a_transaction_that_could_not_be_rolled_back_does_not_stop_the_next() {
    let thread = thread_with_numbers(Connection::open_in_memory().unwrap());
    let unfinished = "BEGIN; INSERT INTO numbers VALUES (1)";
    thread.connection.execute_batch(unfinished).unwrap();

    let [told] = inserted(&thread, [2]);

    told.unwrap();
    let sum = "SELECT sum(number) FROM numbers";
    let sum = thread.connection.query_row(sum, [], |row| row.get(0));
    assert_eq!(sum, Ok(2));
}
