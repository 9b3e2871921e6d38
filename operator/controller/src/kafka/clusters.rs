//! How the operator reaches the brokers that topics name.

use innkeeper_contracts::settings::KafkaCluster;

/// The Kafka clusters of which the installation says how they are reached.
pub(super) struct Clusters(pub Vec<KafkaCluster>);

impl Clusters {
    /// The cluster that has all of these brokers, as the installation lists it; else they are
    /// reached without TLS and a password. Whoever names brokers of their own beside listed ones
    /// must not be sent the password for those.
    pub(super) fn with(&self, bootstrap_servers: &str) -> (KafkaCluster, bool) {
        let listed = self.0.iter().find(|listed| {
            let known: Vec<_> = addresses(&listed.bootstrap_servers).collect();
            addresses(bootstrap_servers).all(|address| known.contains(&address))
        });
        let listed = listed.map(|listed| KafkaCluster {
            bootstrap_servers: bootstrap_servers.to_owned(),
            ..listed.clone()
        });
        let is_listed = listed.is_some();
        let cluster = listed.unwrap_or_else(|| KafkaCluster::plain(bootstrap_servers));
        (cluster, is_listed)
    }
}

fn addresses(bootstrap_servers: &str) -> impl Iterator<Item = String> {
    let addresses = bootstrap_servers.split(',').map(str::trim);
    addresses
        .filter(|address| !address.is_empty())
        .map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::settings::{Sasl, SaslMechanism};

    use super::*;

    #[test]
    fn a_password_goes_only_to_brokers_that_are_listed() {
        let clusters = Clusters(vec![KafkaCluster {
            sasl: Some(Sasl {
                mechanism: SaslMechanism::Plain,
                credentials_dir: "/secret".into(),
            }),
            ..KafkaCluster::plain("kafka-0:9093,kafka-1:9093")
        }]);
        let has_password = |brokers: &str| {
            let (cluster, is_listed) = clusters.with(brokers);
            assert_eq!(cluster.bootstrap_servers, brokers);
            assert_eq!(cluster.sasl.is_some(), is_listed);
            is_listed
        };
        assert!(has_password("kafka-0:9093,kafka-1:9093"));
        assert!(has_password("Kafka-1:9093"));
        assert!(has_password("kafka-1:9093, kafka-0:9093"));
        assert!(!has_password("kafka-0:9092"));
        assert!(!has_password("thief:9093,kafka-0:9093"));
        assert!(!has_password("kafka-0:9093,thief:9093"));
    }
}
