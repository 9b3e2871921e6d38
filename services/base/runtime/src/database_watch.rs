//! The watch of the database: a store that has closed under a running service answers nothing any
//! more, and only a new process mends that. It also shows how the connections are protected.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{Store, StoreError, Transport};
use jiff::Timestamp;
use prometheus::IntGaugeVec;

use crate::component::Chore;
use crate::lifecycle::Lifecycle;
use crate::metrics::{Metrics, names};

/// The chore that finds out whether the store has closed. A database that is away comes back, and
/// is no reason to restart.
pub struct DatabaseWatch {
    store: Arc<dyn Store>,
    lifecycle: Lifecycle,
    gauges: Option<Gauges>,
}

/// How connections are protected. A store without connections has none of them.
struct Gauges {
    tls: IntGaugeVec,
    ends: IntGaugeVec,
}

impl Gauges {
    fn show(&self, transport: Transport) {
        let Transport {
            is_encrypted,
            server_certificate_ends,
            client_certificate_ends,
        } = transport;
        let tls = self.tls.with_label_values::<&str>(&[]);
        tls.set(i64::from(is_encrypted));
        for (certificate, end) in [
            ("database_server", server_certificate_ends),
            ("database_client", client_certificate_ends),
        ] {
            let end = end.map_or(0, Timestamp::as_second);
            self.ends.with_label_values(&[certificate]).set(end);
        }
    }
}

impl DatabaseWatch {
    /// The watch of a service's store.
    pub fn new(store: Arc<dyn Store>, lifecycle: Lifecycle, metrics: &Metrics) -> Self {
        let gauges = store.transport().map(|transport| {
            let gauges = Gauges {
                tls: metrics.gauges(&names::DATABASE_TLS),
                ends: metrics.gauges(&names::CERTIFICATE_ENDS),
            };
            gauges.show(transport);
            gauges
        });
        Self {
            store,
            lifecycle,
            gauges,
        }
    }
}

#[async_trait]
impl Chore for DatabaseWatch {
    fn name(&self) -> &'static str {
        "watch of the database"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn round(&self) -> Result<(), StoreError> {
        if let Err(StoreError::Closed) = self.store.ping().await {
            let reason = "the database has closed under the running service";
            self.lifecycle.fail(reason.to_owned());
        }
        if let Some((gauges, transport)) = self.gauges.as_ref().zip(self.store.transport()) {
            gauges.show(transport);
        }
        Ok(())
    }
}
