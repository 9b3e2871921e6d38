//! A writing process is killed; every write that was acknowledged must still be there. The test
//! starts itself again as that process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use futures::future::join_all;
use innkeeper_kit::store::{Changes, Query, Scope, StepInput, Store};
use uuid::Uuid;

use crate::given::{begin_key, event, new_uuid, row, unpublished};

/// The environment variable that tells the started process what to open.
pub const DATABASE: &str = "INNKEEPER_TEST_KILLED_AT";
const ACKNOWLEDGED: &str = "acknowledged ";
const ENOUGH: usize = 300;

/// The database to write to until killed, if this is the started process.
#[expect(
    clippy::disallowed_methods,
    reason = "a test cannot hand a value to itself in another process otherwise"
)]
pub fn database_to_write_to() -> Option<String> {
    std::env::var(DATABASE).ok()
}

/// Writes with several tasks at once, and prints what is acknowledged.
pub async fn write_until_killed(store: &dyn Store) -> ! {
    loop {
        join_all((0..16).map(|_| write_one(store))).await;
    }
}

async fn write_one(store: &dyn Store) {
    let saga = new_uuid();
    let input = StepInput {
        may_insert: true,
        ..StepInput::about(Scope::Saga(saga))
    };
    let decided = store.decide(input, move |seen| {
        let changes = Changes {
            rows: vec![row(saga, seen.new_id.unwrap())],
            events: vec![event(saga, 1)],
            key: Some(begin_key(saga)),
            ..Changes::default()
        };
        Ok((changes, ()))
    });
    if decided.await.is_ok() {
        println!("{ACKNOWLEDGED}{saga}");
    }
}

/// Starts a test of this program as a process that writes, kills it while it writes, and returns
/// the sagas that were acknowledged.
pub fn sagas_written_by_a_killed_process(test: &str, database: &str) -> Vec<Uuid> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut sagas = Vec::new();
    for line in lines.map_while(Result::ok) {
        // A line that the kill has cut short has no valid id.
        let Some(saga) = line.strip_prefix(ACKNOWLEDGED) else {
            continue;
        };
        sagas.extend(Uuid::parse_str(saga));
        if sagas.len() == ENOUGH {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(sagas.len() >= ENOUGH, "only {} writes", sagas.len());
    sagas
}

/// Asserts that every acknowledged write is there, and every write completely or not at all.
pub async fn assert_nothing_is_lost_or_torn(store: &dyn Store, acknowledged: &[Uuid]) {
    for saga in acknowledged {
        assert!(store.load(*saga).await.unwrap().is_some(), "lost {saga}");
    }
    let rows = store.list(Query::page(0, 1_000_000)).await.unwrap();
    for row in &rows {
        let key = store.load_key_of(row.correlation_id).await.unwrap();
        assert!(key.is_some(), "torn {}", row.correlation_id);
    }
    assert_eq!(unpublished(store).await.len(), rows.len().min(10_000));
}
