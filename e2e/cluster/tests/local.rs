//! Kafka and `PostgreSQL` on loopback start, answer, and stop when their guards are dropped.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use innkeeper_cluster::daemon::Daemon;
use innkeeper_cluster::folders::RunFolder;
use innkeeper_cluster::kafka::Kafka;
use innkeeper_cluster::postgres::Postgres;

fn is_running(folder: &Path) -> bool {
    Daemon::read_recorded(&RunFolder::at(folder))
        .unwrap()
        .iter()
        .any(Daemon::is_running)
}

#[test]
fn a_local_broker_goes_with_its_guard() {
    let dir = tempfile::tempdir().unwrap();
    let kafka = Kafka::start_local(dir.path()).unwrap();
    TcpStream::connect(kafka.bootstrap().parse::<SocketAddr>().unwrap()).unwrap();
    assert!(is_running(dir.path()));
    drop(kafka);
    assert!(!is_running(dir.path()));
}

#[test]
fn a_local_database_goes_with_its_guard_and_takes_its_data_along() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::start_local(dir.path()).unwrap();
    let data = std::fs::read_to_string(dir.path().join("postgres-data")).unwrap();
    assert!(
        postgres
            .url()
            .starts_with("postgres://postgres:innkeeper@127.0.0.1:")
    );
    assert!(is_running(dir.path()));
    drop(postgres);
    assert!(!is_running(dir.path()));
    assert!(!Path::new(&data).exists());
}
