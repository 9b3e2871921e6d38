//! Finds out by connections of its own why the brokers cannot be reached, and when certificates
//! end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::{Probed, Prober, client_certificate_ends};
use innkeeper_kit::log::LogError;
use innkeeper_kit::transport::Transport;
use jiff::Timestamp;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// How long to wait for what a connection shows. The system's resolver may take longer.
const PROBED_WITHIN: Duration = Duration::from_secs(10);

/// How old the reason of a failure may be.
const REASON_AGE: Duration = Duration::from_secs(5);

/// How often to look at the certificate of the brokers.
const CERTIFICATE_AGE: Duration = Duration::from_hours(1);

/// How often to look while none was shown.
const UNKNOWN_AGE: Duration = Duration::from_mins(5);

/// Why the brokers cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Explained {
    reason: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What is known of the connections to a cluster.
pub struct Connection {
    cluster: KafkaCluster,
    prober: Arc<Prober>,
    server_certificate_ends: Mutex<Option<Timestamp>>,
}

impl Connection {
    pub fn to(cluster: KafkaCluster) -> Self {
        Self {
            prober: Arc::new(Prober::of(cluster.clone())),
            cluster,
            server_certificate_ends: Mutex::default(),
        }
    }

    /// An error of a client with the reason of it, if the brokers cannot be reached.
    pub async fn explain(&self, error: LogError) -> LogError {
        let source = match error {
            LogError::Unavailable(source) if is_about_connections(&*source) => source,
            other => return other,
        };
        let reason = self.probe(REASON_AGE).await.and_then(|it| it.failure);
        LogError::Unavailable(match reason {
            Some(reason) => Box::new(Explained {
                reason: masked(&reason).into_owned(),
                source,
            }),
            None => source,
        })
    }

    /// How the connections are protected.
    pub fn transport(&self) -> Transport {
        let tls = self.cluster.encryption();
        Transport {
            is_encrypted: tls.is_some(),
            server_certificate_ends: *self.server_certificate_ends(),
            client_certificate_ends: tls.and_then(client_certificate_ends),
        }
    }

    /// Looks at the certificate of the brokers, if there is one and it is time.
    pub async fn look_at_certificate(&self) {
        if self.cluster.encryption().is_none() {
            return;
        }
        let age = match *self.server_certificate_ends() {
            Some(_) => CERTIFICATE_AGE,
            None => UNKNOWN_AGE,
        };
        let probed = self.probe(age).await;
        if let Some(end) = probed.and_then(|it| it.server_certificate_ends) {
            *self.server_certificate_ends() = Some(end);
        }
    }

    fn server_certificate_ends(&self) -> MutexGuard<'_, Option<Timestamp>> {
        let ends = self.server_certificate_ends.lock();
        ends.unwrap_or_else(PoisonError::into_inner)
    }

    async fn probe(&self, not_older_than: Duration) -> Option<Probed> {
        let prober = Arc::clone(&self.prober);
        let probing = tokio::task::spawn_blocking(move || prober.probe(not_older_than));
        tokio::time::timeout(PROBED_WITHIN, probing)
            .await
            .ok()?
            .ok()
    }
}

/// Whether an error may come of connections that cannot be made.
fn is_about_connections(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<KafkaError>();
    matches!(
        error.and_then(KafkaError::rdkafka_error_code),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::SSL
        )
    )
}
