//! Finds out by a connection of its own why brokers cannot be reached, and when their certificate
//! ends. Other clients say no more than that a certificate could not be verified.

use std::fs;
use std::time::{Duration, Instant};

use innkeeper_contracts::pod::CERTIFICATE_FILE;
use innkeeper_contracts::settings::{KafkaCluster, Tls, TlsMode};
use jiff::Timestamp;
use rdkafka::client::Client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaType;
use x509_cert::Certificate;

use crate::config::{ConfigError, client_config};
use crate::native;
use crate::witness::{Witness, end};

/// The client's name, and that of the topic that it asks about.
const NAME: &str = "innkeeper-probe";

/// How long to wait for an answer before looking for a reason.
const ROUND: Duration = Duration::from_millis(500);

/// What a connection has shown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Probed {
    /// Why no broker could be reached; `None` if one was.
    pub failure: Option<String>,
    /// Whether a broker closed the connection without a word, as it does when it asks for TLS, a
    /// password or a certificate that the client does not offer.
    pub was_turned_away: bool,
    /// When the certificate ends that a broker has shown last, taken or not.
    pub server_certificate_ends: Option<Timestamp>,
}

/// Why there was no connection to try.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A file cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The files do not make a client.
    #[error("cannot make a client of Kafka")]
    Client(#[source] KafkaError),
}

/// Connects to the brokers of a cluster. Blocks for a little longer than `timeout` at most, and
/// then for as long as the system's resolver does.
pub fn probe(cluster: &KafkaCluster, timeout: Duration) -> Result<Probed, ProbeError> {
    let mut config = client_config(cluster, NAME)?;
    config.set_log_level(RDKafkaLogLevel::Info);
    let native = config.create_native_config().map_err(ProbeError::Client)?;
    native::observe(&native);
    let tls = cluster.encryption();
    let verifies = tls.is_some_and(|tls| tls.mode != TlsMode::Require);
    let client = Client::new(
        &config,
        native,
        RDKafkaType::RD_KAFKA_PRODUCER,
        Witness::new(verifies),
    );
    let client = client.map_err(ProbeError::Client)?;
    let failure = failure(&client, Instant::now() + timeout);
    let seen = client.context().seen().clone();
    let failure = failure.map(|error| seen.reason(&error));
    let was_turned_away = failure.as_ref().is_some_and(|it| it.contains(DISCONNECTED));
    let hint = if was_turned_away { remedy(cluster) } else { "" };
    Ok(Probed {
        failure: failure.map(|failure| failure + hint),
        was_turned_away,
        server_certificate_ends: seen.certificate_ends,
    })
}

/// Asks until a broker answers, a reason why none does is heard, or the time is over.
fn failure(client: &Client<Witness>, end: Instant) -> Option<KafkaError> {
    let mut was_heard = false;
    loop {
        let error = client.fetch_metadata(Some(NAME), ROUND).err()?;
        if was_heard || Instant::now() >= end {
            return Some(error);
        }
        native::serve_callbacks(client);
        // Another broker, or another address of it, may answer yet.
        was_heard = client.context().seen().knows_reason();
    }
}

/// What librdkafka says when a broker closes a connection.
const DISCONNECTED: &str = "Disconnected";

/// What a broker may miss that closes a connection without a word.
fn remedy(cluster: &KafkaCluster) -> &'static str {
    match (cluster.encryption().is_some(), &cluster.sasl) {
        (false, None) => "; it may ask for TLS, or for a user and a password",
        (false, Some(_)) => "; it may ask for TLS",
        (true, None) => "; it may ask for a user and a password, or for a client certificate",
        (true, Some(_)) => "",
    }
}

/// When the certificate of a client ends, if it has one that can be read.
pub fn client_certificate_ends(tls: &Tls) -> Option<Timestamp> {
    let folder = tls.client_certificate_dir.as_ref()?;
    let pem = fs::read(folder.join(CERTIFICATE_FILE)).ok()?;
    end(Certificate::load_pem_chain(&pem).ok()?.first()?)
}
