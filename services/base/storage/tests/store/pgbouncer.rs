//! The suite on PostgreSQL behind Debian's `PgBouncer`, which is 1.18 and keeps no prepared
//! statements from transaction to transaction. `INNKEEPER_PGBOUNCER` names the program of one that
//! keeps them (1.21 or later); then the suite runs behind that one, in transaction mode.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::Store;
use innkeeper_storage::{OpenError, Postgres, PostgresOptions};
use innkeeper_testkit::postgres::{Schema, server};
use tempfile::TempDir;

use crate::postgres::{free_port, options};
use crate::suite::{Fixture, conformance};

/// Debian's program.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// The program that keeps prepared statements, if there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "where the pooler of a test is, is no setting of the program"
)]
fn newer() -> Option<String> {
    std::env::var("INNKEEPER_PGBOUNCER").ok()
}

/// A pooler, which ends with this value.
struct PgBouncer {
    /// Its port on 127.0.0.1.
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts a pooler with this `pool_mode`: `session` or `transaction`.
    fn start(program: &str, pool_mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = server();
        let settings = format!(
            "[databases]\n\
             {database} = host={host} port={port} dbname={database} user={user} password={password}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {own}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = {pool_mode}\n",
            database = server.database,
            host = server.host,
            port = server.port,
            user = server.username,
            password = server.password,
            own = port,
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        // It does not run as root, and its user has to read the file.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            command.args(["--user", "postgres"]);
        }
        let process = command
            .arg("--quiet")
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .expect("Debian's package pgbouncer is installed");
        let bouncer = Self {
            port,
            process,
            _folder: folder,
        };
        bouncer.await_ready();
        bouncer
    }

    fn await_ready(&self) {
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("PgBouncer does not answer");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A schema behind a pooler of its own.
struct Pooled {
    schema: Schema,
    pooler: PgBouncer,
}

impl Pooled {
    fn make() -> Self {
        match newer() {
            Some(program) => Self::behind(&program, "transaction"),
            None => Self::behind(DEBIAN, "session"),
        }
    }

    fn behind(program: &str, pool_mode: &str) -> Self {
        Self {
            schema: Schema::make(),
            pooler: PgBouncer::start(program, pool_mode),
        }
    }

    async fn try_open(&self) -> Result<Postgres, OpenError> {
        Postgres::open(PostgresOptions {
            host: "127.0.0.1".to_owned(),
            port: self.pooler.port,
            ..options(&self.schema.name)
        })
        .await
    }
}

#[async_trait]
impl Fixture for Pooled {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.try_open().await.unwrap())
    }

    async fn pass_time(&self, by: Duration) {
        self.schema.pass_time(by).await;
    }
}

conformance!(Pooled);

#[tokio::test]
async fn a_pooler_that_loses_prepared_statements_is_refused_with_what_to_change() {
    let pooled = Pooled::behind(DEBIAN, "transaction");
    let error = pooled.try_open().await.err().unwrap().to_string();
    assert!(error.contains("set pool_mode = session"), "{error}");
    assert!(error.contains("max_prepared_statements"), "{error}");
}

#[tokio::test]
async fn none_of_several_that_start_at_once_gets_past_such_a_pooler() {
    let pooled = Pooled::behind(DEBIAN, "transaction");
    let opened = futures::future::join_all((0..4).map(|_| pooled.try_open())).await;
    for store in opened {
        let error = store.err().unwrap().to_string();
        assert!(error.contains("set pool_mode = session"), "{error}");
    }
}
