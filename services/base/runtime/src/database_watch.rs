//! The watch of the database: a store that has closed under a running service answers nothing any
//! more, and only a new process mends that.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{Store, StoreError};

use crate::component::Chore;
use crate::lifecycle::Lifecycle;

/// The chore that finds out whether the store has closed. A database that is away comes back, and
/// is no reason to restart.
pub struct DatabaseWatch {
    store: Arc<dyn Store>,
    lifecycle: Lifecycle,
}

impl DatabaseWatch {
    /// The watch of a service's store.
    pub const fn new(store: Arc<dyn Store>, lifecycle: Lifecycle) -> Self {
        Self { store, lifecycle }
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
        Ok(())
    }
}
