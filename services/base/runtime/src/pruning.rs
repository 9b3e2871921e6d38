//! Pruning: deletes what a service no longer needs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{Store, StoreError};

use crate::component::Chore;

/// How long inbox entries, settled keys and tombstones are kept. It is longer
/// than a topic may keep records (the plan allows 30 days), so that no record comes again after its
/// inbox entry was deleted.
const KEEP: Duration = Duration::from_hours(60 * 24);

/// The chore that deletes what is old enough, once an hour.
pub struct Pruning(pub Arc<dyn Store>);

#[async_trait]
impl Chore for Pruning {
    fn name(&self) -> &'static str {
        "pruning"
    }

    fn every(&self) -> Duration {
        Duration::from_hours(1)
    }

    async fn round(&self) -> Result<(), StoreError> {
        let deleted = self.0.prune(KEEP).await?;
        tracing::debug!(deleted, "old messages were forgotten");
        Ok(())
    }
}
