//! Finds out by connections of its own why the brokers cannot be reached, and when certificates
//! end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::{KafkaCluster, TlsMode};
use innkeeper_kafka::{Probed, client_certificate_ends, probe};
use innkeeper_kit::log::LogError;
use innkeeper_kit::transport::Transport;
use jiff::Timestamp;
use tokio::time::Instant;

/// How long a connection may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The least time between two connections that are made only to say why others fail.
const BETWEEN_FAILURES: Duration = Duration::from_secs(5);

/// How often to look at the certificate of the brokers.
const LOOK_EVERY: Duration = Duration::from_hours(1);

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
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    explained_at: Option<Instant>,
    reason: Option<String>,
    /// When the certificate was looked at, if one was shown.
    looked_at: Option<Instant>,
    server_certificate_ends: Option<Timestamp>,
}

impl Connection {
    pub fn to(cluster: KafkaCluster) -> Self {
        Self {
            cluster,
            seen: Mutex::default(),
        }
    }

    /// An error of a client with the reason of it, if the brokers cannot be reached.
    pub async fn explained(&self, error: LogError) -> LogError {
        let LogError::Unavailable(source) = error else {
            return error;
        };
        let is_recent = |at: Instant| at.elapsed() < BETWEEN_FAILURES;
        let is_known = self.seen().explained_at.is_some_and(is_recent);
        if !is_known {
            let reason = self.probed().await.and_then(|it| it.failure);
            let mut seen = self.seen();
            seen.reason = reason.map(|it| masked(&it).into_owned());
            seen.explained_at = Some(Instant::now());
        }
        match self.seen().reason.clone() {
            Some(reason) => LogError::Unavailable(Box::new(Explained { reason, source })),
            None => LogError::Unavailable(source),
        }
    }

    /// How the connections are protected.
    pub async fn transport(&self) -> Transport {
        let tls = self.cluster.tls.as_ref();
        let Some(tls) = tls.filter(|it| it.mode != TlsMode::Disable) else {
            return Transport::default();
        };
        let is_recent = |at: Instant| at.elapsed() < LOOK_EVERY;
        let is_known = self.seen().looked_at.is_some_and(is_recent);
        if !is_known {
            let probed = self.probed().await;
            let ends = probed.and_then(|it| it.server_certificate_ends);
            let mut seen = self.seen();
            if ends.is_some() {
                seen.server_certificate_ends = ends;
                seen.looked_at = Some(Instant::now());
            }
        }
        Transport {
            is_encrypted: true,
            server_certificate_ends: self.seen().server_certificate_ends,
            client_certificate_ends: client_certificate_ends(tls),
        }
    }

    async fn probed(&self) -> Option<Probed> {
        let cluster = self.cluster.clone();
        let probing = tokio::task::spawn_blocking(move || probe(&cluster, PROBE_TIMEOUT));
        match probing.await {
            Ok(Ok(probed)) => Some(probed),
            Ok(Err(error)) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the brokers cannot be tried"
                );
                None
            }
            Err(_) => None,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
