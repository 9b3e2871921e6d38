//! A service whose Kafka asks for TLS and a password or a certificate: what it verifies, what it
//! says, and secrets that rotate.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use innkeeper_cluster::authority::Authority;
use innkeeper_cluster::folders::RunFolder;
use innkeeper_cluster::secured_kafka::{Addresses, CERTIFIED, PASSWORD, SecuredKafka, USER};
use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::client_config;
use innkeeper_testkit::kafka::{Admin, create_topic};
use innkeeper_testkit::patience::{PATIENCE, until};
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{get, post, send};
use crate::platform::free_port;
use crate::process::Innkeeper;

/// How the names of the topics and groups begin that [`USER`] may use.
const ALLOWED: &str = "allowed.";

/// How the names of topics begin that services may read, and not write.
const READABLE: &str = "readable.";

/// A broker, and the folder with its files and those of its clients.
struct Broker {
    authority: Authority,
    kafka: SecuredKafka,
    admin: Admin,
    folder: TempDir,
}

impl Broker {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let ports = [(); 7].map(|()| free_port());
        let addresses = Addresses::at(IpAddr::V4(Ipv4Addr::LOCALHOST), ports);
        let run = RunFolder::at(&folder.path().join("kafka"));
        let authority = Authority::make("the brokers' authority").unwrap();
        let kafka = SecuredKafka::start(&run, addresses, &authority).unwrap();
        let plain = KafkaCluster::plain(addresses.plain.to_string());
        let broker = Self {
            admin: client_config(&plain, "test").unwrap().create().unwrap(),
            authority,
            kafka,
            folder,
        };
        // Exactly what the documentation says that services need.
        let topic = ["Describe", "Read", "Write"];
        broker.kafka.allow(&topic, "--topic", ALLOWED).unwrap();
        broker.kafka.allow(&["Read"], "--group", ALLOWED).unwrap();
        let reading = ["Describe", "Read"];
        broker.kafka.allow(&reading, "--topic", READABLE).unwrap();
        broker.create_topic(&format!("{ALLOWED}one")).await;
        broker.create_topic(&format!("{READABLE}one")).await;
        broker.create_topic("forbidden").await;
        broker
    }

    async fn create_topic(&self, name: &str) {
        create_topic(
            &self.admin,
            &NewTopic::new(name, 2, TopicReplication::Fixed(1)),
        )
        .await;
    }

    /// How many records a topic has.
    fn records(&self, topic: &str) -> i64 {
        let plain = KafkaCluster::plain(self.kafka.addresses.plain.to_string());
        let consumer: BaseConsumer = client_config(&plain, "test").unwrap().create().unwrap();
        let end = |partition| {
            consumer
                .fetch_watermarks(topic, partition, PATIENCE)
                .unwrap()
                .1
        };
        end(0) + end(1)
    }

    /// A folder with a user's name and password.
    fn credentials(&self, name: &str, password: &str) -> Value {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        put(&folder, "username", USER);
        put(&folder, "password", password);
        json!(folder)
    }

    fn verified(&self) -> Value {
        json!({ "mode": "VerifyFull", "caFile": self.kafka.ca_file() })
    }
}

fn put(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).unwrap();
}

/// Replaces a file in one step, as the kubelet does.
fn replace(folder: &Path, file: &str, text: &str) {
    put(folder, "next", text);
    fs::rename(folder.join("next"), folder.join(file)).unwrap();
}

/// A booking service with a folder of its own.
struct Service {
    folder: TempDir,
    name: String,
    port: u16,
    admin: u16,
    settings: Value,
}

impl Service {
    fn of(name: &str, servers: SocketAddr, tls: &Value, sasl: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = json!({
            "namespace": "default", "platform": "one", "service": "stays", "path": "/stays",
            "component": { "booking": { "words": { "fields": { "item": "roomId" } } } },
            "database": { "sqlite": { "file": folder.path().join("stays.db") } },
            "log": { "kafka": {
                "bootstrapServers": servers.to_string(), "topic": format!("{ALLOWED}one"), "group": format!("{ALLOWED}{name}"),
                "tls": tls, "sasl": sasl,
            } },
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
        put(self.folder.path(), "stays.json", &self.settings.to_string());
        let words = format!(
            "serve booking --settings stays.json --listen 127.0.0.1:{} --listen-admin 127.0.0.1:{} --leave-for 0",
            self.port, self.admin
        );
        let words: Vec<&str> = words.split(' ').collect();
        Innkeeper::spawn(self.folder.path(), &self.name, &words)
    }

    async fn await_started(&self, process: &Innkeeper) {
        until("it has its share of the topic", async || {
            match send(self.admin, get("/startupz")).await {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}: {}", process.log())),
            }
        })
        .await;
    }

    /// The value of a metric whose line contains this.
    async fn metric(&self, series: &str) -> i64 {
        let metrics = send(self.admin, get("/metrics")).await.unwrap().text;
        let line = metrics.lines().find(|line| line.contains(series)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// How many events it has read.
    async fn consumed(&self) -> i64 {
        let outcome = "innkeeper_events_consumed_total{outcome=\"none\"";
        self.metric(outcome).await
    }

    async fn check_started(&self) {
        let process = self.start();
        self.await_started(&process).await;
        let is_encrypted = self.settings["log"]["kafka"]["tls"].is_object();
        let tls = self.metric("innkeeper_kafka_tls{").await;
        assert_eq!(tls == 1, is_encrypted, "{}", self.name);
        let settings = send(self.admin, get("/settings")).await.unwrap().json();
        assert_eq!(settings["transport"]["kafka"]["tls"], is_encrypted);
        until("the certificate is known", async || {
            let ends = self.metric("certificate=\"kafka_server\"").await;
            if (ends > 0) == is_encrypted {
                Ok(())
            } else {
                Err(ends.to_string())
            }
        })
        .await;
    }

    /// Checks what it waits for. It says so at its end, too.
    async fn check_waits(&self, expected: &str) {
        let mut process = self.start();
        until(expected, async || {
            match send(self.admin, get("/startupz")).await {
                Ok(answer) if answer.text.contains(expected) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        process.signal(nix::sys::signal::Signal::SIGTERM);
        process.ended().await;
        let log = process.log();
        assert!(!log.contains(PASSWORD), "{log}");
    }
}

fn sasl(mechanism: &str, credentials: &Value) -> Value {
    json!({ "mechanism": mechanism, "credentialsDir": credentials })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_proves_who_it_is_and_verifies_the_brokers() {
    let broker = Broker::start().await;
    let addresses = broker.kafka.addresses;
    let credentials = broker.credentials("right", PASSWORD);
    let opens = async |name: &str, servers, tls: &Value, sasl: &Value| {
        Service::of(name, servers, tls, sasl).check_started().await;
    };
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let sasl = sasl(mechanism, &credentials);
        opens(mechanism, addresses.secured, &broker.verified(), &sasl).await;
    }
    let scram = sasl("SCRAM-SHA-512", &credentials);
    opens("unencrypted", addresses.unencrypted, &Value::Null, &scram).await;
    let required = json!({ "mode": "Require" });
    opens("required", addresses.expired, &required, &scram).await;
    let any_name = json!({ "mode": "VerifyCa", "caFile": broker.kafka.ca_file() });
    opens("any-name", addresses.misnamed, &any_name, &scram).await;
    let (certificate, key) = broker.authority.certify(CERTIFIED, 2100).unwrap();
    put(broker.folder.path(), "tls.crt", &certificate);
    put(broker.folder.path(), "tls.key", &key);
    let mut certified = broker.verified();
    certified["clientCertificateDir"] = json!(broker.folder.path());
    opens("certified", addresses.certified, &certified, &Value::Null).await;

    let waits = async |servers, tls: &Value, sasl: &Value, expected: &str| {
        let service = Service::of("refused", servers, tls, sasl);
        service.check_waits(expected).await;
    };
    let verified = broker.verified();
    let wrong = sasl(
        "SCRAM-SHA-512",
        &broker.credentials("wrong", "wrong-password"),
    );
    waits(addresses.secured, &verified, &wrong, "invalid credentials").await;
    waits(addresses.expired, &required, &wrong, "invalid credentials").await;
    waits(
        addresses.unencrypted,
        &Value::Null,
        &wrong,
        "invalid credentials",
    )
    .await;
    waits(addresses.expired, &verified, &scram, "has expired").await;
    waits(addresses.misnamed, &verified, &scram, "is for another").await;
    let other = Authority::make("another authority").unwrap();
    put(broker.folder.path(), "other.crt", &other.certificate);
    let other = json!({ "mode": "VerifyCa", "caFile": broker.folder.path().join("other.crt") });
    let expected = "comes from an authority that is not trusted here";
    waits(addresses.secured, &other, &scram, expected).await;
    // Without a file, public authorities count.
    let public = json!({ "mode": "VerifyFull" });
    waits(addresses.secured, &public, &scram, expected).await;
    waits(
        addresses.secured,
        &Value::Null,
        &Value::Null,
        "it may ask for TLS",
    )
    .await;
    waits(addresses.certified, &verified, &Value::Null, "certificate").await;

    check_rights(addresses.secured, &verified, &scram).await;
}

/// Checks that rights that are missing are named.
async fn check_rights(servers: SocketAddr, tls: &Value, sasl: &Value) {
    let mut forbidden = Service::of("forbidden", servers, tls, sasl);
    forbidden.settings["log"]["kafka"]["topic"] = json!("forbidden");
    let expected = "needs Describe, Read and Write on the topic forbidden";
    forbidden.check_waits(expected).await;
    forbidden.settings["log"]["kafka"]["topic"] = json!(format!("{READABLE}one"));
    let expected = "the user of this service needs Write on the topic readable.one";
    forbidden.check_waits(expected).await;
    forbidden.settings["log"]["kafka"]["topic"] = json!(format!("{ALLOWED}one"));
    forbidden.settings["log"]["kafka"]["group"] = json!("foreign");
    forbidden.check_waits("Read on the group foreign").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_rotates_is_used_and_no_event_is_lost() {
    let broker = Broker::start().await;
    let credentials = broker.credentials("rotated", PASSWORD);
    let scram = sasl("SCRAM-SHA-512", &credentials);
    let servers = broker.kafka.addresses.secured;
    let service = Service::of("rotated", servers, &broker.verified(), &scram);
    let process = service.start();
    service.await_started(&process).await;
    let folder = broker.folder.path().join("rotated");
    let mut booked = 0;
    let mut book_until = async |said: &str, times: usize| {
        until(said, async || {
            let stay = json!({ "roomId": "7" });
            let answer = send(service.port, post("/stays", &stay)).await.unwrap();
            assert_eq!(answer.status, 201, "{}", answer.text);
            booked += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
            match process.log().matches(said).count() {
                count if count >= times => Ok(()),
                _ => Err(process.log()),
            }
        })
        .await;
        booked
    };
    // What makes no client changes nothing.
    replace(&folder, "password", " begins with a space");
    book_until("the new credentials for Kafka cannot be used", 3).await;
    broker.kafka.change_password("the-next-password").unwrap();
    replace(&folder, "password", "the-next-password");
    // Its producers and its consumer.
    book_until("the credentials for Kafka have changed", 2).await;
    let before = service.consumed().await;
    let booked = book_until("the credentials for Kafka have changed", 2).await;
    let topic = format!("{ALLOWED}one");
    until("every event is in the topic", async || {
        match broker.records(&topic) {
            records if records >= booked => Ok(()),
            records => Err(format!("{records} of {booked}: {}", process.log())),
        }
    })
    .await;
    until("it reads on", async || match service.consumed().await {
        consumed if consumed > before => Ok(()),
        consumed => Err(format!("{consumed}: {}", process.log())),
    })
    .await;
    process.stop().await;
}
