//! A service, its database and its broker in a network that has IPv6 alone.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use innkeeper_cluster::command::run;
use innkeeper_cluster::daemon::stop_recorded;
use innkeeper_cluster::folders::RunFolder;
use innkeeper_cluster::kafka::{Kafka, Listen};
use innkeeper_cluster::network_namespace::NetworkNamespace;
use innkeeper_cluster::postgres::{ADMINISTRATOR, PASSWORD, Postgres, remove_data};
use innkeeper_contracts::pod::{ADMIN_PORT, BUSINESS_PORT, READYZ};
use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::client_config;
use innkeeper_testkit::kafka::{Admin, create_topic};
use innkeeper_testkit::patience::until;
use rdkafka::admin::{NewTopic, TopicReplication};
use serde_json::json;
use tempfile::TempDir;

use crate::process::Innkeeper;

const DATABASE_PORT: u16 = 5_432;
const BROKER_PORT: u16 = 9_092;
const CONTROLLER_PORT: u16 = 9_093;

/// How long database and broker may take to stop.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// A network namespace with the loopback address of IPv6 and no other. It goes with this value, and
/// so do the database and the broker in it.
struct Network {
    name: String,
    namespace: NetworkNamespace,
    folder: RunFolder,
}

impl Network {
    fn make(folder: RunFolder) -> Self {
        let name = format!("innkeeper-ipv6-{}", std::process::id());
        let namespace = NetworkNamespace::Named(name.clone());
        let made = run(Command::new("ip").args(["netns", "add", &name]));
        made.expect("root may make a network namespace");
        let network = Self {
            name,
            namespace,
            folder,
        };
        network.ip(&["link", "set", "lo", "up"]);
        network.ip(&["address", "delete", "127.0.0.1/8", "dev", "lo"]);
        network
    }

    fn ip(&self, arguments: &[&str]) {
        run(self.namespace.command("ip").args(arguments)).unwrap();
    }

    /// Sends these lines from within, and returns the answer, or why there is none.
    fn send(&self, port: u16, lines: &str) -> String {
        let exchange = || {
            let mut stream = TcpStream::connect(loopback(port))?;
            stream.write_all(lines.replace('\n', "\r\n").as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        };
        let answer = self.namespace.within(exchange).unwrap();
        answer.unwrap_or_else(|error: std::io::Error| error.to_string())
    }

    fn create_topic(&self, broker: &str, name: &str) {
        let created = self.namespace.within(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let admin: Admin = client_config(&KafkaCluster::plain(broker), "ipv6")
                .unwrap()
                .create()
                .unwrap();
            let topic = NewTopic::new(name, 3, TopicReplication::Fixed(1));
            runtime.unwrap().block_on(create_topic(&admin, &topic));
        });
        created.unwrap();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // A failure could not be reported here.
        let _ = stop_recorded(&self.folder, STOP_GRACE);
        let _ = remove_data(&self.folder);
        let _ = run(Command::new("ip").args(["netns", "delete", &self.name]));
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::LOCALHOST), port)
}

#[tokio::test]
async fn a_service_with_its_database_and_broker_is_ready_where_there_is_ipv6_alone() {
    let home = TempDir::new().unwrap();
    let network = Network::make(RunFolder::at(home.path()));
    let (folder, namespace) = (&network.folder, &network.namespace);
    Postgres::start(folder, namespace, loopback(DATABASE_PORT)).unwrap();
    let listen = Listen {
        broker: loopback(BROKER_PORT),
        controller: loopback(CONTROLLER_PORT),
    };
    let broker = Kafka::start(folder, namespace, listen).unwrap();
    network.create_topic(&broker.bootstrap, "rentcar");
    fs::write(home.path().join("username"), ADMINISTRATOR).unwrap();
    fs::write(home.path().join("password"), PASSWORD).unwrap();
    let settings = json!({
        "namespace": "default",
        "platform": "rentcar",
        "service": "reservation",
        "path": "/reservations",
        "component": { "booking": {} },
        "database": { "postgres": {
            "host": "::1",
            "port": DATABASE_PORT,
            "database": ADMINISTRATOR,
            "schema": "reservation",
            "credentialsDir": home.path(),
        } },
        "log": { "kafka": {
            "bootstrapServers": broker.bootstrap,
            "topic": "rentcar",
            "group": "reservation",
        } },
    });
    fs::write(home.path().join("settings.json"), settings.to_string()).unwrap();

    let arguments = [
        "serve",
        "booking",
        "--settings",
        "settings.json",
        "--leave-for",
        "0",
    ];
    let service = Innkeeper::spawn_within(namespace, home.path(), "serve", &arguments);
    until("the service is ready", async || {
        let get = format!("GET {READYZ} HTTP/1.1\nhost: [::1]\nconnection: close\n\n");
        let answer = network.send(ADMIN_PORT, &get);
        let is_ready = answer.starts_with("HTTP/1.1 200");
        is_ready.then_some(()).ok_or(answer)
    })
    .await;
    let post = "POST /reservations HTTP/1.1\nhost: [::1]:8080\ncontent-type: application/json\n\
                content-length: 2\nconnection: close\n\n{}";
    let made = network.send(BUSINESS_PORT, post);
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");

    service.stop().await;
}
