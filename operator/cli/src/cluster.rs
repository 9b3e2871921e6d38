//! What the commands assume about a cluster: the chart's values.

use innkeeper_contracts::settings::{DEFAULT_POSTGRES_PORT, SaslMechanism, TlsMode};
use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_crds::kafka::{KafkaSecurity, Sasl};
use innkeeper_crds::tls::{CaSecretRef, Tls, TlsSecretRef, TlsSecrets};
use innkeeper_plan::{ClusterDefaults, Executor};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The image that `cargo xtask image` builds and the chart asks for.
pub const IMAGE: &str = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));

/// The brokers and the database server that the offline commands assume.
const EXAMPLE_BROKERS: &str = "kafka:9092";
const EXAMPLE_DATABASE: &str = "postgres";

/// The chart's values that platforms depend on. All Secrets are in each platform's namespace.
#[derive(clap::Args)]
pub struct ClusterArguments {
    /// Kafka brokers of platforms that name none, as the chart's `kafka.bootstrapServers`; `plan`
    /// and `validate` assume kafka:9092.
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_servers: Option<String>,
    /// What to ask of their TLS: `Disable`, `Require`, `VerifyCa` or `VerifyFull`; when left out,
    /// there is none.
    #[arg(long, value_name = "MODE", value_parser = word::<TlsMode>)]
    kafka_tls: Option<TlsMode>,
    /// Secret with the certificates of the authorities to trust for Kafka.
    #[arg(long, value_name = "NAME", requires = "kafka_tls")]
    kafka_ca_secret: Option<String>,
    /// The key in that Secret.
    #[arg(long, value_name = "KEY", default_value = "ca.crt")]
    kafka_ca_key: String,
    /// Secret with `tls.crt` and `tls.key` of a client certificate for Kafka.
    #[arg(long, value_name = "NAME", requires = "kafka_tls")]
    kafka_client_secret: Option<String>,
    /// How services prove their password to Kafka: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    #[arg(long, value_name = "MECHANISM", requires = "kafka_secret", value_parser = word::<SaslMechanism>)]
    kafka_sasl: Option<SaslMechanism>,
    /// Secret with `username` and `password` for Kafka.
    #[arg(long, value_name = "NAME", requires = "kafka_sasl")]
    kafka_secret: Option<String>,
    /// PostgreSQL server of services that name no database, as the chart's
    /// `database.postgres.host`; `plan` and `validate` assume postgres.
    #[arg(long, value_name = "HOST")]
    postgres_host: Option<String>,
    /// Port of the PostgreSQL server.
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_POSTGRES_PORT)]
    postgres_port: u16,
    /// Name of the database on it.
    #[arg(long, value_name = "NAME", default_value = "innkeeper")]
    postgres_database: String,
    /// Secret with `username` and `password`.
    #[arg(long, value_name = "NAME", default_value = "innkeeper-database")]
    postgres_secret: String,
    /// What to ask of its TLS: `Disable`, `Require`, `VerifyCa` or `VerifyFull`. When left out, TLS
    /// is used where the server offers it, and its certificate is not verified.
    #[arg(long, value_name = "MODE", value_parser = word::<TlsMode>)]
    postgres_tls: Option<TlsMode>,
    /// Secret with the certificates of the authorities to trust for PostgreSQL.
    #[arg(long, value_name = "NAME", requires = "postgres_tls")]
    postgres_ca_secret: Option<String>,
    /// The key in that Secret.
    #[arg(long, value_name = "KEY", default_value = "ca.crt")]
    postgres_ca_key: String,
    /// Secret with `tls.crt` and `tls.key` of a client certificate for PostgreSQL.
    #[arg(long, value_name = "NAME", requires = "postgres_tls")]
    postgres_client_secret: Option<String>,
    /// Image of platforms that name none.
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
}

impl ClusterArguments {
    /// The defaults of an installation with these values.
    pub fn defaults(&self) -> ClusterDefaults {
        let database = self.postgres_host.as_deref();
        ClusterDefaults {
            bootstrap_servers: self.bootstrap_servers.clone(),
            kafka: self.kafka_security(),
            database: database.map(|host| self.postgres(host)),
            image: self.image.clone(),
        }
    }

    /// The executor of the offline commands: an installation with brokers and a database.
    pub fn executor(&self) -> Executor {
        let given = self.defaults();
        let brokers = given.bootstrap_servers;
        let database = given.database;
        Executor::Cluster(ClusterDefaults {
            bootstrap_servers: brokers.or_else(|| Some(EXAMPLE_BROKERS.to_owned())),
            database: database.or_else(|| Some(self.postgres(EXAMPLE_DATABASE))),
            ..given
        })
    }

    fn kafka_security(&self) -> KafkaSecurity {
        let sasl = self.kafka_sasl.zip(self.kafka_secret.clone());
        KafkaSecurity {
            tls: self.kafka_tls.map(|mode| Tls {
                mode,
                secrets: secrets(
                    self.kafka_ca_secret.as_ref(),
                    &self.kafka_ca_key,
                    self.kafka_client_secret.as_ref(),
                ),
            }),
            sasl: sasl.map(|(mechanism, name)| Sasl {
                mechanism,
                secret_ref: SecretRef { name },
            }),
        }
    }

    fn postgres(&self, host: &str) -> Postgres {
        Postgres {
            host: host.to_owned(),
            port: self.postgres_port,
            database: self.postgres_database.clone(),
            secret_ref: SecretRef {
                name: self.postgres_secret.clone(),
            },
            tls: self.postgres_tls.map(|mode| Tls {
                mode,
                secrets: secrets(
                    self.postgres_ca_secret.as_ref(),
                    &self.postgres_ca_key,
                    self.postgres_client_secret.as_ref(),
                ),
            }),
        }
    }
}

fn secrets(authority: Option<&String>, key: &str, client: Option<&String>) -> TlsSecrets {
    TlsSecrets {
        ca_secret_ref: authority.map(|name| CaSecretRef {
            name: name.clone(),
            key: key.to_owned(),
        }),
        client_secret_ref: client.map(|name| TlsSecretRef { name: name.clone() }),
    }
}

/// One of the words that a setting has.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(text)).map_err(|error| error.to_string())
}
