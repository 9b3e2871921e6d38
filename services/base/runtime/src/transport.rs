//! Shows in metrics and settings how connections to servers are protected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::log::Log;
use innkeeper_kit::store::StoreError;
use innkeeper_kit::transport::Transport;
use jiff::Timestamp;
use prometheus::{IntGauge, IntGaugeVec};

use crate::component::Chore;
use crate::metrics::names::Metric;
use crate::metrics::{Metrics, names};

/// How the connections of a service are protected, by the name of the server. Clones share what was
/// seen.
#[derive(Clone)]
pub struct Transports {
    ends: IntGaugeVec,
    seen: Arc<Mutex<BTreeMap<&'static str, Transport>>>,
}

impl Transports {
    /// Knows no transport yet.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            ends: metrics.gauges(&names::CERTIFICATE_ENDS),
            seen: Arc::default(),
        }
    }

    /// What was seen last of each server.
    pub fn seen(&self) -> BTreeMap<&'static str, Transport> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Transport>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is shown how the connections to one server are protected.
pub struct TransportDisplay {
    server: &'static str,
    transports: Transports,
    tls: IntGauge,
    server_ends: IntGauge,
    client_ends: IntGauge,
}

impl TransportDisplay {
    /// The display of a server, with the metric that tells whether there is TLS.
    pub fn of(
        server: &'static str,
        tls: &Metric,
        metrics: &Metrics,
        transports: &Transports,
    ) -> Self {
        let ends = |whose: &str| {
            let certificate = format!("{server}_{whose}");
            transports.ends.with_label_values(&[&certificate])
        };
        Self {
            server,
            transports: transports.clone(),
            tls: metrics.gauges(tls).with_label_values::<&str>(&[]),
            server_ends: ends("server"),
            client_ends: ends("client"),
        }
    }

    /// Shows how the connections are protected.
    pub fn show(&self, transport: Transport) {
        let Transport {
            is_encrypted,
            server_certificate_ends,
            client_certificate_ends,
        } = transport;
        let seconds = |end: Option<Timestamp>| end.map_or(0, Timestamp::as_second);
        self.tls.set(i64::from(is_encrypted));
        self.server_ends.set(seconds(server_certificate_ends));
        self.client_ends.set(seconds(client_certificate_ends));
        self.transports.lock().insert(self.server, transport);
    }
}

/// The chore that shows how the connections to Kafka are protected.
pub struct LogWatch {
    log: Arc<dyn Log>,
    display: TransportDisplay,
}

impl LogWatch {
    /// The watch of a service's log.
    pub fn new(log: Arc<dyn Log>, metrics: &Metrics, transports: &Transports) -> Self {
        let display = TransportDisplay::of("kafka", &names::KAFKA_TLS, metrics, transports);
        if let Some(transport) = log.transport() {
            display.show(transport);
        }
        Self { log, display }
    }
}

#[async_trait]
impl Chore for LogWatch {
    fn name(&self) -> &'static str {
        "watch of the connections to Kafka"
    }

    fn every(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn round(&self) -> Result<(), StoreError> {
        self.log.look_at_certificate().await;
        if let Some(transport) = self.log.transport() {
            self.display.show(transport);
        }
        Ok(())
    }
}
