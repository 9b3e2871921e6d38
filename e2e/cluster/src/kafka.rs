//! Runs Apache Kafka as one process that is both broker and controller.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::{CommandError, run_logged};
use crate::daemon::{Daemon, DaemonError};
use crate::folders::RunFolder;
use crate::network_namespace::NetworkNamespace;
use crate::parts::{self, PartError};

/// How long a broker may take to answer. A JVM starts slowly on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// How long a broker may take to stop.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// The cluster id of every Kafka that tests start; no process ever joins two of them.
const CLUSTER_ID: &str = "aW5ua2VlcGVyLWUyZS0wMQ";

/// The names of addresses, if the broker's network has no DNS server: for SCRAM it looks up its
/// own.
pub const HOSTS: &str = "hosts";

/// Why Kafka does not run.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// Kafka or Java could not be installed.
    #[error("Kafka is not available")]
    Part(#[from] PartError),
    /// A file in the run folder, or a free port, was not available.
    #[error("cannot prepare Kafka in {folder}")]
    Prepare {
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The storage could not be formatted.
    #[error("cannot format Kafka's storage")]
    Format(#[source] CommandError),
    #[error("one of Kafka's tools failed")]
    Tool(#[source] CommandError),
    /// The broker did not start or did not stop.
    #[error("Kafka does not run")]
    Run(#[from] DaemonError),
}

#[derive(Debug)]
pub struct Kafka {
    /// Address for clients: `address:port`.
    pub bootstrap: String,
    process: Daemon,
}

/// A broker that stops when this value is dropped.
#[derive(Debug)]
pub struct LocalKafka {
    kafka: Kafka,
}

impl LocalKafka {
    /// Address for clients: `127.0.0.1:port`.
    pub fn bootstrap(&self) -> &str {
        &self.kafka.bootstrap
    }
}

impl Drop for LocalKafka {
    fn drop(&mut self) {
        // A failure could not be reported here; the process list in the folder names what still
        // runs.
        let _ = self.kafka.stop();
    }
}

impl Kafka {
    /// Starts a broker on a free loopback port, with its data below `folder`. It stops when the
    /// returned value is dropped.
    pub fn start_local(folder: &Path) -> Result<LocalKafka, KafkaError> {
        let folder = RunFolder::at(folder);
        Ok(LocalKafka {
            kafka: Self::start_on_loopback(&folder)?,
        })
    }

    /// Starts a broker on a free loopback port. It runs until it is stopped through the process
    /// list of the folder.
    pub fn start_on_loopback(folder: &RunFolder) -> Result<Self, KafkaError> {
        let listen = find_free_addresses().map_err(|source| prepare_error(folder, source))?;
        Self::start(folder, &NetworkNamespace::Host, listen)
    }

    /// Starts a broker at these addresses, records it in the process list of the folder, and
    /// returns when it answers.
    pub fn start(
        folder: &RunFolder,
        network: &NetworkNamespace,
        listen: Listen,
    ) -> Result<Self, KafkaError> {
        Self::start_with(folder, network, listen, &Additions::default())
    }

    /// The same, with additions.
    pub fn start_with(
        folder: &RunFolder,
        network: &NetworkNamespace,
        listen: Listen,
        additions: &Additions,
    ) -> Result<Self, KafkaError> {
        let part = parts::kafka::ensure()?;
        let configuration = configuration(folder, listen, additions);
        let prepared = folder
            .create()
            .and_then(|()| fs::write(properties(folder), configuration));
        prepared.map_err(|source| prepare_error(folder, source))?;
        format_storage(folder, &part, &additions.users)?;
        let process = Daemon::start(folder, "kafka", &mut server(folder, &part, network, listen))?;
        process.await_ready(folder, READY_WITHIN, || {
            network.within(|| check_answers(listen.broker))?
        })?;
        Ok(Self {
            bootstrap: listen.broker.to_string(),
            process,
        })
    }

    /// Runs one of Kafka's tools, by its class, with this broker.
    pub fn run_tool(&self, log: &Path, class: &str, arguments: &[&str]) -> Result<(), KafkaError> {
        let part = parts::kafka::ensure()?;
        let mut tool = short_java(&part);
        tool.arg(class);
        tool.args(["--bootstrap-server", &self.bootstrap])
            .args(arguments);
        run_logged(&mut tool, log).map_err(KafkaError::Tool)
    }

    /// Stops the broker, which flushes its data before.
    pub fn stop(&self) -> Result<(), KafkaError> {
        Ok(self.process.stop(STOP_GRACE)?)
    }
}

/// The two addresses of a broker.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The address for clients.
    pub broker: SocketAddr,
    /// The address of the controller.
    pub controller: SocketAddr,
}

/// What a broker has besides its address for clients.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// Further listeners: their names, with the protocol of each.
    pub listeners: Vec<(&'static str, &'static str, SocketAddr)>,
    /// Further lines of its configuration.
    pub properties: Vec<String>,
    /// Users whose passwords are proved by SCRAM, as `kafka-storage format --add-scram` reads them.
    pub users: Vec<String>,
}

fn find_free_addresses() -> io::Result<Listen> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (broker, controller) = (free()?, free()?);
    Ok(Listen {
        broker: broker.local_addr()?,
        controller: controller.local_addr()?,
    })
}

fn properties(folder: &RunFolder) -> PathBuf {
    folder.join("kafka.properties")
}

fn configuration(folder: &RunFolder, listen: Listen, additions: &Additions) -> String {
    let Listen { broker, controller } = listen;
    let plain = ("PLAINTEXT", "PLAINTEXT", broker);
    let listeners = [&[plain], &additions.listeners[..]].concat();
    let advertised: Vec<_> = listeners
        .iter()
        .map(|(name, _, at)| format!("{name}://{at}"))
        .collect();
    let protocols: Vec<_> = listeners
        .iter()
        .map(|(name, protocol, _)| format!("{name}:{protocol}"))
        .collect();
    let (advertised, protocols) = (advertised.join(","), protocols.join(","));
    let properties = additions.properties.join("\n");
    let data = folder.join("kafka").display().to_string();
    // The zero delay saves every consumer group three seconds before its first assignment.
    // auto.create.topics.enable and num.partitions keep Kafka's defaults, as most brokers have
    // them, so a topic is created when a client asks about it.
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@{controller}\n\
         listeners={advertised},CONTROLLER://{controller}\n\
         advertised.listeners={advertised}\n\
         listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         log.dirs={data}\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         {properties}\n"
    )
}

fn format_storage(folder: &RunFolder, part: &Path, users: &[String]) -> Result<(), KafkaError> {
    let mut format = short_java(part);
    format.args([
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        CLUSTER_ID,
        "--ignore-formatted",
        "--config",
    ]);
    format.arg(properties(folder));
    for user in users {
        format.args(["--add-scram", user]);
    }
    run_logged(&mut format, &folder.log("kafka-format")).map_err(KafkaError::Format)
}

fn server(folder: &RunFolder, part: &Path, network: &NetworkNamespace, listen: Listen) -> Command {
    let mut server = java(network, part);
    if listen.broker.is_ipv4() {
        server.arg("-Djava.net.preferIPv4Stack=true");
    }
    let hosts = folder.join(HOSTS);
    if hosts.exists() {
        server.arg(format!("-Djdk.net.hosts.file={}", hosts.display()));
    }
    server.arg("kafka.Kafka").arg(properties(folder));
    server
}

/// Java for what ends before its second compiler would pay off.
fn short_java(part: &Path) -> Command {
    let mut java = java(&NetworkNamespace::Host, part);
    java.arg("-XX:TieredStopAtLevel=1");
    java
}

fn java(network: &NetworkNamespace, part: &Path) -> Command {
    let mut java = network.command("java");
    java.args(["-Xmx512m", "-XX:+UseSerialGC"]);
    java.arg(format!(
        "-Dlog4j2.configurationFile={}",
        part.join("log4j2.properties").display()
    ));
    java.arg("-classpath").arg(part.join("jars/*"));
    java
}

/// Checks that a broker answers the first request of every client, `ApiVersions` version 0.
fn check_answers(broker: SocketAddr) -> Result<(), String> {
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let exchange = || -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&broker, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&REQUEST)?;
        stream.read_exact(&mut [0; 8])
    };
    exchange().map_err(|error| format!("no answer at {broker}: {error}"))
}

fn prepare_error(folder: &RunFolder, source: io::Error) -> KafkaError {
    KafkaError::Prepare {
        folder: folder.path().to_path_buf(),
        source,
    }
}
