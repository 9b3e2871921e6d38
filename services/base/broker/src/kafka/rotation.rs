//! Notices when the credentials or certificates of a client have changed: librdkafka reads them
//! when a client is made, and never again.

use std::time::Duration;

use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings;
use innkeeper_kafka::{ConfigError, is_same};
use rdkafka::ClientConfig;
use tokio::time::Instant;

/// How often to look at the files. The kubelet takes a minute to bring a changed Secret.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Makes a configuration from what the files say now.
pub type Configure = fn(&settings::Kafka) -> Result<ClientConfig, ConfigError>;

/// The configuration that a client was made with, and where it came from.
pub struct Rotation {
    settings: settings::Kafka,
    configure: Configure,
    config: ClientConfig,
    looked_at: Instant,
}

impl Rotation {
    /// Reads the files.
    pub fn begin(settings: &settings::Kafka, configure: Configure) -> Result<Self, ConfigError> {
        Ok(Self {
            settings: settings.clone(),
            configure,
            config: configure(settings)?,
            looked_at: Instant::now(),
        })
    }

    /// The present configuration.
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Looks at the files if it is time, and returns whether there is a new configuration.
    pub fn has_changed(&mut self) -> bool {
        self.looked_at.elapsed() >= LOOK_EVERY && self.look()
    }

    /// Looks at the files, and returns whether there is a new configuration. Files that cannot be
    /// read change nothing.
    pub fn look(&mut self) -> bool {
        self.looked_at = Instant::now();
        match (self.configure)(&self.settings) {
            Ok(config) if is_same(&config, &self.config) => false,
            Ok(config) => {
                self.config = config;
                true
            }
            Err(error) => {
                let error = format!("{error}: {}", error.source);
                tracing::warn!(error = %masked(&error), "goes on with the credentials for Kafka before");
                false
            }
        }
    }
}
