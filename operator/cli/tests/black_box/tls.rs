//! A service whose PostgreSQL demands TLS: what it verifies, what it says, and secrets that rotate.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{join, join_all};
use innkeeper_cluster::authority::Authority;
use innkeeper_cluster::postgres::{ADMINISTRATOR, PASSWORD};
use innkeeper_cluster::tls_postgres::{CERTIFIED, PLAIN, TlsPostgres, USER};
use innkeeper_testkit::patience::until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{get, send};
use crate::platform::free_port;
use crate::process::Innkeeper;

/// A server, and the folder with its files.
struct Server {
    postgres: TlsPostgres,
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let address = ([127, 0, 0, 1], free_port()).into();
        let postgres = TlsPostgres::start(folder.path(), address).unwrap();
        Self { postgres, folder }
    }
}

fn put(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).unwrap();
}

/// A service with a folder of its own.
struct Service {
    folder: TempDir,
    name: String,
    port: u16,
    admin: u16,
    settings: Value,
}

impl Service {
    fn of(server: &Server, name: &str, user: &str, tls: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        put(folder.path(), "username", user);
        put(folder.path(), "password", PASSWORD);
        let settings = json!({
            "namespace": "default", "platform": "rentcar", "service": "rent", "path": "/rents",
            "component": { "fulfillment": { "payments": ["pay"], "bookings": ["reservation"] } },
            "database": { "postgres": {
                "host": "127.0.0.1", "port": server.postgres.address().port(), "database": ADMINISTRATOR, "schema": name,
                "credentialsDir": folder.path(), "tls": tls,
            } },
            "log": { "kafka": { "bootstrapServers": "127.0.0.1:1", "topic": "none", "group": "none" } },
        });
        Self {
            folder,
            name: name.to_owned(),
            port: free_port(),
            admin: free_port(),
            settings,
        }
    }

    fn start(&self) -> Innkeeper {
        let file = self.folder.path().join("rent.json");
        fs::write(file, self.settings.to_string()).unwrap();
        let words = format!(
            "serve fulfillment --settings rent.json --listen 127.0.0.1:{} --listen-admin 127.0.0.1:{} --leave-for 0",
            self.port, self.admin
        );
        let words: Vec<&str> = words.split(' ').collect();
        Innkeeper::spawn(self.folder.path(), &self.name, &words)
    }

    /// Waits until it has opened its database, and tells whether its connections are encrypted.
    async fn await_open(&self, server: &Server, process: &Innkeeper) -> bool {
        until("it has opened its database", async || {
            match server.postgres.is_encrypted(&self.name).unwrap() {
                Some(found) if process.log().contains("serving") => Ok(found),
                found => Err(format!("{found:?}: {}", process.log())),
            }
        })
        .await
    }

    /// Checks that it opens its database with encrypted connections.
    async fn check_encrypted(&self, server: &Server) {
        let process = self.start();
        assert!(self.await_open(server, &process).await, "{}", self.name);
        let metrics = send(self.admin, get("/metrics")).await.unwrap().text;
        let value = |series: &str| {
            let mut lines = metrics.lines().filter(|line| line.contains(series));
            lines.next().and_then(|line| line.rsplit(' ').next())
        };
        assert_eq!(value("innkeeper_database_tls{"), Some("1"), "{metrics}");
        let settings = send(self.admin, get("/settings")).await.unwrap().json();
        assert_eq!(settings["transport"]["database"]["tls"], true, "{settings}");
        let ends = |certificate: &str| {
            let label = format!("certificate=\"database_{certificate}\"");
            value(&label).unwrap().parse::<i64>().unwrap()
        };
        assert!(ends("server") > 0, "{metrics}");
        let has_own =
            self.settings["database"]["postgres"]["tls"]["clientCertificateDir"].is_string();
        assert_eq!(ends("client") > 0, has_own, "{metrics}");
    }

    /// Reads its rows so many times at once, none of them in vain.
    async fn read_at_once(&self, times: usize) {
        let reads = (0..times).map(|_| send(self.port, get("/rents")));
        for answer in join_all(reads).await {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }

    /// Checks that it ends, and says this.
    async fn check_refused(&self, expected: &str) {
        let mut process = self.start();
        let status = process.ended().await;
        let log = process.log();
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains(expected), "{expected} is not in: {log}");
        assert!(!log.contains(PASSWORD), "{log}");
    }
}

fn verified(server: &Server, mode: &str) -> Value {
    json!({ "mode": mode, "caFile": server.postgres.ca_file() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_verifies_as_much_as_it_was_told() {
    let server = Server::start();
    let opens = async |name: &str, tls: Value| {
        let service = Service::of(&server, name, USER, &tls);
        service.check_encrypted(&server).await;
    };
    let refused = async |tls: Value, expected: &str| {
        let service = Service::of(&server, "refused", USER, &tls);
        service.check_refused(expected).await;
    };
    opens("preferred", Value::Null).await;
    opens("required", json!({ "mode": "Require" })).await;
    // Where only plain connections are let in, they are used unless TLS was asked for.
    let plain = Service::of(&server, "plain", PLAIN, &Value::Null);
    let process = plain.start();
    assert!(!plain.await_open(&server, &process).await);
    drop(process);
    let required = Service::of(&server, "refused", PLAIN, &json!({ "mode": "Require" }));
    required
        .check_refused("pg_hba.conf rejects connection")
        .await;
    opens("verified", verified(&server, "VerifyFull")).await;
    refused(json!({ "mode": "Disable" }), "no encryption").await;
    // Without a file, public authorities count.
    refused(json!({ "mode": "VerifyFull" }), "UnknownIssuer").await;
    let other = Authority::make("another authority").unwrap();
    put(server.folder.path(), "other.crt", &other.certificate);
    let other = server.folder.path().join("other.crt");
    let other = json!({ "mode": "VerifyCa", "caFile": other });
    refused(other, "UnknownIssuer").await;
    let nothing = json!({ "mode": "VerifyFull", "caFile": "/nowhere/ca.crt" });
    refused(nothing, "the Secret of the certificate authority must have").await;

    server
        .postgres
        .show_certificate("db.example", 2100)
        .unwrap();
    let name = "certificate not valid for name \"127.0.0.1\"";
    refused(verified(&server, "VerifyFull"), name).await;
    opens("any-name", verified(&server, "VerifyCa")).await;
    server.postgres.show_certificate("127.0.0.1", 2001).unwrap();
    refused(verified(&server, "VerifyCa"), "certificate expired").await;
    opens("unverified", json!({ "mode": "Require" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_takes_the_place_of_a_password() {
    let server = Server::start();
    let (certificate, key) = server.postgres.authority.certify(CERTIFIED, 2100).unwrap();
    let without = verified(&server, "VerifyFull");
    let without = Service::of(&server, "without", CERTIFIED, &without);
    without
        .check_refused("connection requires a valid client certificate")
        .await;
    let mut tls = verified(&server, "VerifyFull");
    tls["clientCertificateDir"] = json!(server.folder.path());
    put(server.folder.path(), "tls.crt", &certificate);
    let keyless = Service::of(&server, "keyless", CERTIFIED, &tls);
    keyless.check_refused("must have tls.crt and tls.key").await;
    put(server.folder.path(), "tls.key", &key);
    let certified = Service::of(&server, "certified", CERTIFIED, &tls);
    certified.check_encrypted(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_one_that_rotates_is_used_from_the_next_connection_on() {
    let server = Server::start();
    let tls = verified(&server, "VerifyFull");
    let service = Service::of(&server, "rotated", USER, &tls);
    let process = service.start();
    service.await_open(&server, &process).await;
    let query = |statement: &str| server.postgres.query(statement).unwrap();
    let wrong = Service::of(&server, "wrong", USER, &verified(&server, "VerifyFull"));
    // More connections than the load needs.
    service.read_at_once(8).await;
    let has_rotated = AtomicBool::new(false);
    let load = async {
        let mut times = 0;
        while !has_rotated.load(Ordering::Relaxed) {
            service.read_at_once(2).await;
            times += 1;
        }
        times
    };
    let rotation = async {
        query(&format!("ALTER ROLE {USER} PASSWORD 'the-next-one'"));
        wrong.check_refused("password authentication failed").await;
        put(service.folder.path(), "password", "the-next-one");
        has_rotated.store(true, Ordering::Relaxed);
    };
    let (times, ()) = join(load, rotation).await;
    assert!(times > 1, "it was read while the password was another");
    // More than it had connections for.
    service.read_at_once(32).await;

    let of_service = "FROM pg_stat_activity WHERE application_name = 'rotated'";
    // It returns when the connections are gone.
    query(&format!(
        "SELECT pg_terminate_backend(pid, 20000) {of_service}"
    ));
    until("it is connected again", async || {
        match server.postgres.is_encrypted("rotated").unwrap() {
            Some(true) => Ok(()),
            found => Err(format!("{found:?}: {}", process.log())),
        }
    })
    .await;
}
