//! A service whose PostgreSQL demands TLS: what it verifies, what it says, and secrets that rotate.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use innkeeper_cluster::command::run;
use innkeeper_cluster::postgres::{ADMINISTRATOR, LocalPostgres, PASSWORD, Postgres};
use innkeeper_testkit::patience::until;
use nix::unistd::geteuid;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::process::Innkeeper;

/// A user of the database, who logs in with a password.
const USER: &str = "rent";
/// A user of the database, who logs in with a certificate.
const CERTIFIED: &str = "certified";

/// A certificate authority.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn make(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(parameters, key);
        Self {
            certificate,
            issuer,
        }
    }

    /// The certificate for a name, and its key; in PEM.
    fn certify(&self, name: &str, end: i32) -> (String, String) {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        parameters.not_after = date_time_ymd(end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        (certificate, key.serialize_pem())
    }
}

/// A server that takes TLS only, but for its administrator.
struct Server {
    postgres: LocalPostgres,
    folder: TempDir,
    administrator: Client,
    authority: Authority,
}

impl Server {
    /// A server with a certificate for 127.0.0.1.
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // The server's own user reads the certificate in it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let postgres = Postgres::start_local(folder.path()).unwrap();
        let connected = tokio_postgres::connect(&postgres.url(), NoTls).await;
        let (administrator, connection) = connected.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "the connection ends with its client"
        )]
        tokio::spawn(connection);
        let server = Self {
            postgres,
            folder,
            administrator,
            authority: Authority::make("ours"),
        };
        server.put("ca.crt", &server.authority.certificate);
        let file = server.administrator.query_one("SHOW hba_file", &[]).await;
        let file: String = file.unwrap().get(0);
        let rules = format!(
            "hostnossl all {USER},{CERTIFIED} all reject\nhostssl all {CERTIFIED} all cert\n{}",
            fs::read_to_string(&file).unwrap()
        );
        fs::write(file, rules).unwrap();
        for user in [USER, CERTIFIED] {
            server
                .run(&format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'"))
                .await;
            server
                .run(&format!(
                    "GRANT CREATE ON DATABASE {ADMINISTRATOR} TO {user}"
                ))
                .await;
        }
        server.show_certificate("127.0.0.1", 2100).await;
        server
    }

    async fn run(&self, statement: &str) {
        self.administrator.batch_execute(statement).await.unwrap();
    }

    /// Lets the server show a certificate for a name from now on, which ends with a year.
    async fn show_certificate(&self, name: &str, end: i32) {
        let (certificate, key) = self.authority.certify(name, end);
        self.put("server.crt", &certificate);
        self.put("server.key", &key);
        if geteuid().is_root() {
            run(Command::new("chown")
                .arg("postgres")
                .arg(self.path("server.key")))
            .unwrap();
        }
        for setting in [
            format!("ssl_cert_file = '{}'", self.path("server.crt").display()),
            format!("ssl_key_file = '{}'", self.path("server.key").display()),
            format!("ssl_ca_file = '{}'", self.path("ca.crt").display()),
            "ssl = on".to_owned(),
        ] {
            self.run(&format!("ALTER SYSTEM SET {setting}")).await;
        }
        self.run("SELECT pg_reload_conf()").await;
        until("the server has read it", async || {
            let shown = self.administrator.query_one("SHOW ssl", &[]).await.unwrap();
            let shown: String = shown.get(0);
            (shown == "on").then_some(()).ok_or(shown)
        })
        .await;
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn put(&self, file: &str, text: &str) {
        put(&self.path(file), text);
    }

    /// Whether the connections of a service are encrypted; `None` if it has none.
    async fn is_encrypted(&self, service: &str) -> Option<bool> {
        let sql = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1";
        let row = self.administrator.query_one(sql, &[&service]).await;
        row.unwrap().get(0)
    }
}

fn put(path: &Path, text: &str) {
    let mut file = File::create(path).unwrap();
    file.set_permissions(Permissions::from_mode(0o600)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    if path.extension().is_some_and(|it| it == "crt") {
        file.set_permissions(Permissions::from_mode(0o644)).unwrap();
    }
}

/// A service with a folder of its own.
struct Service {
    folder: TempDir,
    name: String,
    settings: Value,
}

impl Service {
    fn of(server: &Server, name: &str, user: &str, tls: Value) -> Self {
        let folder = TempDir::new().unwrap();
        let url: tokio_postgres::Config = server.postgres.url().parse().unwrap();
        put(&folder.path().join("username"), user);
        put(&folder.path().join("password"), PASSWORD);
        let settings = json!({
            "namespace": "default", "platform": "rentcar", "service": "rent", "path": "/rents",
            "component": { "fulfillment": { "payments": ["pay"], "bookings": ["reservation"] } },
            "database": { "postgres": {
                "host": "127.0.0.1", "port": url.get_ports()[0], "database": ADMINISTRATOR, "schema": name,
                "credentialsDir": folder.path(), "tls": tls,
            } },
            "log": { "kafka": { "bootstrapServers": "127.0.0.1:1", "topic": "none", "group": "none" } },
        });
        Self {
            folder,
            name: name.to_owned(),
            settings,
        }
    }

    fn start(&self) -> Innkeeper {
        let file = self.folder.path().join("rent.json");
        fs::write(file, self.settings.to_string()).unwrap();
        let words = "serve fulfillment --settings rent.json --listen 127.0.0.1:0 --listen-admin 127.0.0.1:0 --leave-for 0";
        let words: Vec<&str> = words.split(' ').collect();
        Innkeeper::spawn(self.folder.path(), &self.name, &words)
    }

    /// Waits until it has opened its database, and tells whether its connections are encrypted.
    async fn await_open(&self, server: &Server, process: &Innkeeper) -> bool {
        until("it has opened its database", async || {
            match server.is_encrypted(&self.name).await {
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
    json!({ "mode": mode, "caFile": server.path("ca.crt") })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_verifies_as_much_as_it_was_told() {
    let server = Server::start().await;
    let opens = async |name: &str, tls: Value| {
        let service = Service::of(&server, name, USER, tls);
        service.check_encrypted(&server).await;
    };
    let refused = async |tls: Value, expected: &str| {
        let service = Service::of(&server, "refused", USER, tls);
        service.check_refused(expected).await;
    };
    opens("preferred", Value::Null).await;
    opens("required", json!({ "mode": "Require" })).await;
    opens("verified", verified(&server, "VerifyFull")).await;
    refused(json!({ "mode": "Disable" }), "no encryption").await;
    // Without a file, public authorities count.
    refused(json!({ "mode": "VerifyFull" }), "UnknownIssuer").await;
    let other = server.path("other.crt");
    put(&other, &Authority::make("another").certificate);
    let other = json!({ "mode": "VerifyCa", "caFile": other });
    refused(other, "UnknownIssuer").await;
    let nothing = json!({ "mode": "VerifyFull", "caFile": "/nowhere/ca.crt" });
    refused(nothing, "the Secret of the certificate authority must have").await;

    server.show_certificate("db.example", 2100).await;
    let name = "certificate not valid for name \"127.0.0.1\"";
    refused(verified(&server, "VerifyFull"), name).await;
    opens("any-name", verified(&server, "VerifyCa")).await;
    server.show_certificate("127.0.0.1", 2001).await;
    refused(verified(&server, "VerifyCa"), "certificate expired").await;
    opens("unverified", json!({ "mode": "Require" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_takes_the_place_of_a_password() {
    let server = Server::start().await;
    let (certificate, key) = server.authority.certify(CERTIFIED, 2100);
    let without = verified(&server, "VerifyFull");
    let without = Service::of(&server, "without", CERTIFIED, without);
    without
        .check_refused("connection requires a valid client certificate")
        .await;
    let mut tls = verified(&server, "VerifyFull");
    tls["clientCertificateDir"] = json!(server.folder.path());
    server.put("tls.crt", &certificate);
    let keyless = Service::of(&server, "keyless", CERTIFIED, tls.clone());
    keyless.check_refused("must have tls.crt and tls.key").await;
    server.put("tls.key", &key);
    let certified = Service::of(&server, "certified", CERTIFIED, tls);
    certified.check_encrypted(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_one_that_rotates_is_used_from_the_next_connection_on() {
    let server = Server::start().await;
    let tls = verified(&server, "VerifyFull");
    let service = Service::of(&server, "rotated", USER, tls);
    let process = service.start();
    service.await_open(&server, &process).await;
    server
        .run(&format!("ALTER ROLE {USER} PASSWORD 'the-next-one'"))
        .await;
    let wrong = Service::of(&server, "wrong", USER, verified(&server, "VerifyFull"));
    wrong.check_refused("password authentication failed").await;

    put(&service.folder.path().join("password"), "the-next-one");
    let ended =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rotated'";
    server.run(ended).await;
    until("it is connected again", async || {
        server
            .is_encrypted("rotated")
            .await
            .ok_or_else(|| "not yet".to_owned())
    })
    .await;
}
