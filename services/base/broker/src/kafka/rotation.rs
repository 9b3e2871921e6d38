//! Notices when the credentials or certificates of a service have changed: librdkafka reads them
//! when a client is made, and never again.

use std::time::Duration;

use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings;
use innkeeper_kafka::{ConfigError, is_same};
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use tokio::time::Instant;

use super::config;

/// How often to look at the files. The kubelet takes a minute to bring a changed Secret.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What clients are made with, as the files said when they last made sense.
pub struct Rotation {
    settings: settings::Kafka,
    client: ClientConfig,
    /// What made no client, and is not tried again: rdkafka loses memory with each attempt.
    unusable: Option<ClientConfig>,
    looked_at: Instant,
}

impl Rotation {
    /// Reads the files for the first time. Fails if one cannot be used.
    pub fn begin(settings: &settings::Kafka) -> Result<Self, ConfigError> {
        Ok(Self {
            settings: settings.clone(),
            client: config::client(settings)?,
            unusable: None,
            looked_at: Instant::now(),
        })
    }

    /// What all clients have in common.
    pub const fn client(&self) -> &ClientConfig {
        &self.client
    }

    /// Looks at the files if it is time, and returns whether clients are to be made anew.
    pub fn has_changed(&mut self) -> bool {
        self.looked_at.elapsed() >= LOOK_EVERY && self.look()
    }

    /// Looks at the files, and returns whether clients are to be made anew. Files that cannot be
    /// read, or make no client, change nothing.
    pub fn look(&mut self) -> bool {
        self.looked_at = Instant::now();
        let client = match config::client(&self.settings) {
            Ok(client) => client,
            Err(error) => {
                warn(&format!("{error}: {}", error.source));
                return false;
            }
        };
        let is_known = |known: &ClientConfig| is_same(known, &client);
        if is_known(&self.client) || self.unusable.as_ref().is_some_and(is_known) {
            return false;
        }
        match client.create::<BaseConsumer>() {
            Ok(tried) => {
                // Dropping a client waits for its threads.
                tokio::task::spawn_blocking(move || drop(tried));
                self.client = client;
                true
            }
            Err(error) => {
                warn(&error.to_string());
                self.unusable = Some(client);
                false
            }
        }
    }
}

fn warn(error: &str) {
    tracing::warn!(error = %masked(error), "the new credentials for Kafka cannot be used; going on with the former ones");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use innkeeper_contracts::settings::{Tls, TlsMode};
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[tokio::test]
    async fn only_what_makes_a_client_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.crt");
        let put = |text: &str| fs::write(&ca_file, text).unwrap();
        put("no certificate");
        let settings = settings::Kafka {
            bootstrap_servers: "127.0.0.1:1".to_owned(),
            topic: "topic".to_owned(),
            group: "group".to_owned(),
            tls: Some(Tls {
                mode: TlsMode::VerifyCa,
                ca_file: Some(ca_file.clone()),
                client_certificate_dir: None,
            }),
            sasl: None,
        };
        let mut rotation = Rotation::begin(&settings).unwrap();
        put("no certificate either");
        assert!(!rotation.look() && !rotation.look());
        fs::remove_file(&ca_file).unwrap();
        assert!(!rotation.look());
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        put(&certificate.pem());
        assert!(rotation.look());
        assert!(!rotation.look());
    }
}
