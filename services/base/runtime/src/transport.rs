//! Shows in metrics how connections to servers are protected.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::log::Log;
use innkeeper_kit::store::StoreError;
use innkeeper_kit::transport::Transport;
use jiff::Timestamp;
use prometheus::IntGauge;

use crate::component::Chore;
use crate::metrics::names::Metric;
use crate::metrics::{Metrics, names};

/// The metrics of the connections to one server.
pub struct TransportGauges {
    tls: IntGauge,
    server_ends: IntGauge,
    client_ends: IntGauge,
}

impl TransportGauges {
    /// The metrics of a server: whether there is TLS, and by which label values its certificate and
    /// ours are known.
    pub fn new(metrics: &Metrics, tls: &Metric, [server, client]: [&str; 2]) -> Self {
        let ends = metrics.gauges(&names::CERTIFICATE_ENDS);
        Self {
            tls: metrics.gauges(tls).with_label_values::<&str>(&[]),
            server_ends: ends.with_label_values(&[server]),
            client_ends: ends.with_label_values(&[client]),
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
    }
}

/// The chore that shows how the connections to Kafka are protected.
pub struct LogWatch {
    log: Arc<dyn Log>,
    gauges: TransportGauges,
}

impl LogWatch {
    /// The watch of a service's log.
    pub fn new(log: Arc<dyn Log>, metrics: &Metrics) -> Self {
        let certificates = ["kafka_server", "kafka_client"];
        Self {
            log,
            gauges: TransportGauges::new(metrics, &names::KAFKA_TLS, certificates),
        }
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
        if let Some(transport) = self.log.transport().await {
            self.gauges.show(transport);
        }
        Ok(())
    }
}
