//! The watch of the database: a store that has closed under a running service answers nothing any
//! more, and only a new process mends that. It also shows how the connections are protected.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{Store, StoreError};

use crate::component::Chore;
use crate::lifecycle::Lifecycle;
use crate::metrics::{Metrics, names};
use crate::transport::{TransportDisplay, Transports};

/// The chore that finds out whether the store has closed. A database that is away comes back, and
/// is no reason to restart.
pub struct DatabaseWatch {
    store: Arc<dyn Store>,
    lifecycle: Lifecycle,
    /// A store without connections has none.
    display: Option<TransportDisplay>,
}

impl DatabaseWatch {
    /// The watch of a service's store.
    pub fn new(
        store: Arc<dyn Store>,
        lifecycle: Lifecycle,
        metrics: &Metrics,
        transports: &Transports,
    ) -> Self {
        let display = store.transport().map(|transport| {
            let tls = &names::DATABASE_TLS;
            let display = TransportDisplay::of("database", tls, metrics, transports);
            display.show(transport);
            display
        });
        Self {
            store,
            lifecycle,
            display,
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
        if let Some((display, transport)) = self.display.as_ref().zip(self.store.transport()) {
            display.show(transport);
        }
        Ok(())
    }
}
