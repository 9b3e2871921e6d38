//! A Kafka broker that asks for TLS and for a password or a certificate, and lets users do only
//! what its ACLs allow.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::authority::Authority;
use crate::folders::RunFolder;
use crate::kafka::{Additions, HOSTS, Kafka, KafkaError, Listen};
use crate::network_namespace::NetworkNamespace;

/// A user who may do everything, with [`PASSWORD`], by SCRAM.
pub const ADMINISTRATOR: &str = "administrator";
/// A user who may do nothing until it is allowed, with [`PASSWORD`], by each mechanism.
pub const USER: &str = "kim";
/// A user with a certificate of this name, who may do everything.
pub const CERTIFIED: &str = "certified";
/// The password of all users.
pub const PASSWORD: &str = "the-first-password";

/// Why the broker does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SecuredKafkaError {
    /// The broker does not run.
    #[error(transparent)]
    Broker(#[from] KafkaError),
    /// A certificate cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file of the broker cannot be written.
    #[error("cannot prepare the broker's files")]
    File(#[from] io::Error),
}

/// The addresses of the broker's listeners.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Without TLS and a password, for whoever administers the broker.
    pub plain: SocketAddr,
    /// TLS and a password.
    pub secured: SocketAddr,
    /// TLS and a certificate of the client.
    pub certified: SocketAddr,
    /// A password without TLS.
    pub unencrypted: SocketAddr,
    /// As `secured`, with a certificate that has expired.
    pub expired: SocketAddr,
    /// As `secured`, with a certificate for another name.
    pub misnamed: SocketAddr,
    controller: SocketAddr,
}

impl Addresses {
    /// Addresses with these ports.
    pub fn at(ip: IpAddr, ports: [u16; 7]) -> Self {
        let addresses = ports.map(|port| SocketAddr::new(ip, port));
        Self {
            plain: addresses[0],
            secured: addresses[1],
            certified: addresses[2],
            unencrypted: addresses[3],
            expired: addresses[4],
            misnamed: addresses[5],
            controller: addresses[6],
        }
    }
}

/// The broker. It stops when this value is dropped.
pub struct SecuredKafka {
    pub addresses: Addresses,
    kafka: Kafka,
    folder: RunFolder,
}

impl SecuredKafka {
    /// Starts a broker at these addresses, with its files in a folder. The authority certifies it,
    /// and its clients.
    pub fn start(
        folder: &RunFolder,
        addresses: Addresses,
        authority: &Authority,
    ) -> Result<Self, SecuredKafkaError> {
        folder.create()?;
        let ip = addresses.secured.ip().to_string();
        fs::write(folder.join("brokers-ca.crt"), &authority.certificate)?;
        fs::write(folder.join(HOSTS), format!("{ip} kafka\n"))?;
        let mut properties = vec![
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
                .to_owned(),
            format!("super.users=User:ANONYMOUS;User:{ADMINISTRATOR};User:CN={CERTIFIED}"),
            "listener.name.certified.ssl.client.auth=required".to_owned(),
            "listener.name.certified.ssl.truststore.type=PEM".to_owned(),
            format!(
                "listener.name.certified.ssl.truststore.location={}",
                folder.join("brokers-ca.crt").display()
            ),
        ];
        for (listener, name, end) in [
            ("secured", ip.as_str(), 2100),
            ("certified", ip.as_str(), 2100),
            ("expired", ip.as_str(), 2001),
            ("misnamed", "kafka.elsewhere", 2100),
        ] {
            let (certificate, key) = authority.certify(name, end)?;
            let keys = folder.join(&format!("{listener}.pem"));
            fs::write(&keys, format!("{key}{certificate}"))?;
            let prefix = format!("listener.name.{listener}.ssl.keystore");
            properties.push(format!("{prefix}.type=PEM"));
            properties.push(format!("{prefix}.location={}", keys.display()));
        }
        for listener in ["secured", "unencrypted", "expired", "misnamed"] {
            properties.extend(passwords(listener));
        }
        let additions = Additions {
            listeners: vec![
                ("SECURED", "SASL_SSL", addresses.secured),
                ("CERTIFIED", "SSL", addresses.certified),
                ("UNENCRYPTED", "SASL_PLAINTEXT", addresses.unencrypted),
                ("EXPIRED", "SASL_SSL", addresses.expired),
                ("MISNAMED", "SASL_SSL", addresses.misnamed),
            ],
            properties,
            users: users(),
        };
        let listen = Listen {
            broker: addresses.plain,
            controller: addresses.controller,
        };
        let network = NetworkNamespace::Host;
        Ok(Self {
            addresses,
            kafka: Kafka::start_with(folder, &network, listen, &additions)?,
            folder: folder.clone(),
        })
    }

    /// The file with the certificate of its authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("brokers-ca.crt")
    }

    /// Gives [`USER`] another password, which SCRAM-SHA-512 proves.
    pub fn change_password(&self, password: &str) -> Result<(), SecuredKafkaError> {
        let config = format!("SCRAM-SHA-512=[password={password}]");
        let change = [
            "--alter",
            "--entity-type",
            "users",
            "--entity-name",
            USER,
            "--add-config",
            &config,
        ];
        let class = "kafka.admin.ConfigCommand";
        Ok(self
            .kafka
            .run_tool(&self.folder.log("change-password"), class, &change)?)
    }

    /// Allows [`USER`] operations on a kind of resource, whose names begin with a prefix.
    pub fn allow(
        &self,
        operations: &[&str],
        resource: &str,
        prefix: &str,
    ) -> Result<(), SecuredKafkaError> {
        let principal = format!("User:{USER}");
        let mut arguments = vec!["--add", "--allow-principal", &principal];
        arguments.extend(["--resource-pattern-type", "prefixed", resource, prefix]);
        for operation in operations {
            arguments.extend(["--operation", operation]);
        }
        let class = "org.apache.kafka.tools.AclCommand";
        Ok(self
            .kafka
            .run_tool(&self.folder.log("allow"), class, &arguments)?)
    }
}

impl Drop for SecuredKafka {
    fn drop(&mut self) {
        // A failure could not be reported here; the process list in the folder names what still
        // runs.
        let _ = self.kafka.stop();
    }
}

/// The users of SCRAM, as the storage is formatted with them.
fn users() -> Vec<String> {
    let mut users = Vec::new();
    for name in [ADMINISTRATOR, USER] {
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            users.push(format!("{mechanism}=[name={name},password={PASSWORD}]"));
        }
    }
    users
}

/// The configuration of a listener that asks for a password.
fn passwords(listener: &str) -> [String; 4] {
    const MODULES: &str = "org.apache.kafka.common.security";
    let prefix = format!("listener.name.{listener}");
    let scram = format!("{MODULES}.scram.ScramLoginModule required;");
    [
        format!("{prefix}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"),
        format!(
            "{prefix}.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
        ),
        format!("{prefix}.scram-sha-256.sasl.jaas.config={scram}"),
        format!("{prefix}.scram-sha-512.sasl.jaas.config={scram}"),
    ]
}
