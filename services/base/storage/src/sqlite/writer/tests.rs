use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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

fn desk(connection: Connection) -> Desk {
    connection.execute_batch(TABLE).unwrap();
    Desk {
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
        writer: Writer::start(desk(connection), lock).unwrap(),
        _folder: folder,
    }
}

fn insert(turn: &Turn<'_>, number: i64) -> Result<(), StoreError> {
    turn.connection
        .execute("INSERT INTO numbers VALUES (?1)", [number])
        .map(drop)
        .map_err(store_error)
}

/// Work that inserts a number, and returns the time of its commit.
fn inserting(
    number: i64,
) -> impl FnMut(&Turn<'_>) -> Result<Timestamp, StoreError> + Send + 'static {
    move |turn| insert(turn, number).map(|()| turn.now)
}

/// Inserts numbers in one commit, and returns what each is told.
fn inserted<const N: usize>(desk: &Desk, numbers: [i64; N]) -> [Result<Timestamp, StoreError>; N] {
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
    desk.work(Taken { work, offsets }, &Queue::default());
    answers.map(|mut answer| answer.try_recv().unwrap())
}

async fn numbers(writer: &Writer) -> Vec<i64> {
    let read = |turn: &Turn<'_>| {
        let mut sql = turn
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
    let work = move |_: &Turn<'_>| {
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
    let refuses = |_: &Turn<'_>| Err::<(), _>(StoreError::Failed("on purpose".into()));

    let rest = async { tokio::join!(once(2), fixture.writer.run(refuses, None), once(3)) };
    let (first, refused, last) = with_thread_held_up(&fixture.writer, rest).await;

    assert_eq!(first.unwrap(), last.unwrap(), "one commit");
    assert!(refused.is_err());
    assert_eq!(numbers(&fixture.writer).await, [2, 3]);
}

#[tokio::test]
async fn work_that_fails_after_a_change_fails_alone() {
    let fixture = fixture();
    let once = |number| fixture.writer.run(inserting(number), None);
    let twice = |turn: &Turn<'_>| {
        insert(turn, 3)?;
        insert(turn, 3)
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
    let rolls_back = |turn: &Turn<'_>| {
        turn.connection
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
    let panics = |turn: &Turn<'_>| {
        insert(turn, 2)?;
        let twice = insert(turn, 2);
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
fn a_commit_that_fails_is_told_to_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let desk = desk(connection::open_for_writing(&file).unwrap());
    desk.connection.busy_timeout(Duration::ZERO).unwrap();
    let beside = Connection::open(&file).unwrap();

    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    for told in inserted(&desk, [1, 2]) {
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    }
    beside.execute_batch("ROLLBACK").unwrap();
    for told in inserted(&desk, [1, 2]) {
        told.unwrap();
    }
}

#[test]
fn a_transaction_that_could_not_be_rolled_back_does_not_stop_the_next() {
    let desk = desk(Connection::open_in_memory().unwrap());
    let unfinished = "BEGIN; INSERT INTO numbers VALUES (1)";
    desk.connection.execute_batch(unfinished).unwrap();

    let [told] = inserted(&desk, [2]);

    told.unwrap();
    let sum = "SELECT sum(number) FROM numbers";
    let sum = desk.connection.query_row(sum, [], |row| row.get(0));
    assert_eq!(sum, Ok(2));
}
