//! The configuration of clients:
//! <https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use innkeeper_contracts::pod::{CERTIFICATE_FILE, KEY_FILE, PASSWORD_FILE, USERNAME_FILE};
use innkeeper_contracts::settings::{KafkaCluster, Sasl, Tls, TlsMode};
use rdkafka::ClientConfig;

/// Why a client cannot be configured.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {file}; {remedy}")]
pub struct ConfigError {
    pub file: PathBuf,
    /// What to do about it.
    pub remedy: &'static str,
    /// The error of the system.
    pub source: io::Error,
}

const CREDENTIALS_REMEDY: &str = "the Secret for Kafka must have the keys username and password";
const CA_REMEDY: &str =
    "the Secret of the certificate authority must have its certificates there, in PEM";
const CLIENT_REMEDY: &str = "the Secret of the client certificate must have tls.crt and tls.key";

/// The configuration that all clients of a cluster have in common. Credentials and certificates are
/// read now. A client that only reads must never create a topic, but brokers create the topics that
/// clients ask about (`auto.create.topics.enable` is on by default) unless the client forbids it.
pub fn client_config(cluster: &KafkaCluster, client_id: &str) -> Result<ClientConfig, ConfigError> {
    let tls = cluster.encryption();
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &cluster.bootstrap_servers)
        .set("client.id", client_id)
        .set("allow.auto.create.topics", "false")
        .set(
            "security.protocol",
            match (tls, &cluster.sasl) {
                (None, None) => "plaintext",
                (None, Some(_)) => "sasl_plaintext",
                (Some(_), None) => "ssl",
                (Some(_), Some(_)) => "sasl_ssl",
            },
        );
    if let Some(tls) = tls {
        set_tls(&mut config, tls)?;
    }
    if let Some(sasl) = &cluster.sasl {
        set_sasl(&mut config, sasl)?;
    }
    Ok(config)
}

/// Whether two configurations say the same. `ClientConfig::config_map` hides passwords, though not
/// the key of a certificate.
pub fn is_same(one: &ClientConfig, other: &ClientConfig) -> bool {
    let (one_map, other_map) = (one.config_map(), other.config_map());
    one_map.len() == other_map.len() && one_map.keys().all(|key| one.get(key) == other.get(key))
}

fn set_tls(config: &mut ClientConfig, tls: &Tls) -> Result<(), ConfigError> {
    match tls.mode {
        TlsMode::Disable | TlsMode::VerifyFull => {}
        TlsMode::VerifyCa => {
            config.set("ssl.endpoint.identification.algorithm", "none");
        }
        TlsMode::Require => {
            config.set("enable.ssl.certificate.verification", "false");
        }
    }
    match &tls.ca_file {
        Some(file) => config.set("ssl.ca.pem", read(file, CA_REMEDY)?),
        // Looks for the system's authorities where distributions have them.
        None => config.set("ssl.ca.location", "probe"),
    };
    if let Some(folder) = &tls.client_certificate_dir {
        let certificate = read(&folder.join(CERTIFICATE_FILE), CLIENT_REMEDY)?;
        let key = read(&folder.join(KEY_FILE), CLIENT_REMEDY)?;
        config
            .set("ssl.certificate.pem", certificate)
            .set("ssl.key.pem", key);
    }
    Ok(())
}

fn set_sasl(config: &mut ClientConfig, sasl: &Sasl) -> Result<(), ConfigError> {
    let folder = &sasl.credentials_dir;
    let username = read(&folder.join(USERNAME_FILE), CREDENTIALS_REMEDY)?;
    let password = read(&folder.join(PASSWORD_FILE), CREDENTIALS_REMEDY)?;
    for (file, text) in [(USERNAME_FILE, &username), (PASSWORD_FILE, &password)] {
        if text.starts_with(char::is_whitespace) {
            return Err(ConfigError {
                file: folder.join(file),
                remedy: "a user and a password must not begin with white space",
                source: io::Error::new(io::ErrorKind::InvalidData, "librdkafka would drop it"),
            });
        }
    }
    // An editor or `echo` may have put a line break at the end.
    config
        .set("sasl.mechanism", sasl.mechanism.name())
        .set("sasl.username", username.trim_end_matches(['\r', '\n']))
        .set("sasl.password", password.trim_end_matches(['\r', '\n']));
    Ok(())
}

fn read(file: &Path, remedy: &'static str) -> Result<String, ConfigError> {
    fs::read_to_string(file).map_err(|source| ConfigError {
        file: file.to_owned(),
        remedy,
        source,
    })
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::settings::SaslMechanism;

    use super::*;

    fn config_of(cluster: &KafkaCluster) -> ClientConfig {
        client_config(cluster, "test").unwrap()
    }

    #[test]
    fn credentials_end_before_a_line_break() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("username"), "kim\n").unwrap();
        fs::write(folder.path().join("password"), "s3 cret \r\n").unwrap();
        let config = config_of(&KafkaCluster {
            sasl: Some(Sasl {
                mechanism: SaslMechanism::ScramSha512,
                credentials_dir: folder.path().to_owned(),
            }),
            ..KafkaCluster::plain("kafka:9092")
        });
        assert_eq!(config.get("security.protocol"), Some("sasl_plaintext"));
        assert_eq!(config.get("sasl.mechanism"), Some("SCRAM-SHA-512"));
        assert_eq!(config.get("sasl.username"), Some("kim"));
        assert_eq!(config.get("sasl.password"), Some("s3 cret "));
    }

    #[test]
    fn another_password_is_another_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let config = |password: &str| {
            fs::write(folder.path().join("username"), "kim").unwrap();
            fs::write(folder.path().join("password"), password).unwrap();
            config_of(&KafkaCluster {
                sasl: Some(Sasl {
                    mechanism: SaslMechanism::Plain,
                    credentials_dir: folder.path().to_owned(),
                }),
                ..KafkaCluster::plain("kafka:9092")
            })
        };
        assert!(is_same(&config("one"), &config("one")));
        assert!(!is_same(&config("one"), &config("two")));
    }

    #[test]
    fn each_mode_verifies_what_it_says() {
        let verified = |mode| {
            let config = config_of(&KafkaCluster {
                tls: Some(Tls {
                    mode,
                    ca_file: None,
                    client_certificate_dir: None,
                }),
                ..KafkaCluster::plain("kafka:9093")
            });
            let value = |key| config.get(key).map(str::to_owned);
            (
                value("security.protocol").unwrap(),
                value("enable.ssl.certificate.verification"),
                value("ssl.endpoint.identification.algorithm"),
            )
        };
        let no = |word: &str| Some(word.to_owned());
        let ssl = || "ssl".to_owned();
        assert_eq!(verified(TlsMode::VerifyFull), (ssl(), None, None));
        assert_eq!(verified(TlsMode::VerifyCa), (ssl(), None, no("none")));
        assert_eq!(verified(TlsMode::Require), (ssl(), no("false"), None));
        let off = verified(TlsMode::Disable);
        assert_eq!(off, ("plaintext".to_owned(), None, None));
    }

    #[test]
    fn a_file_that_is_missing_is_named_with_its_secret() {
        let cluster = KafkaCluster {
            sasl: Some(Sasl {
                mechanism: SaslMechanism::Plain,
                credentials_dir: "/nowhere".into(),
            }),
            ..KafkaCluster::plain("kafka:9092")
        };
        let error = client_config(&cluster, "test").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot use /nowhere/username; the Secret for Kafka must have the keys username and password"
        );
    }
}
