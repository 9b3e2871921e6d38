//! Pruning: deletes what a service no longer needs to remember.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{Store, StoreError};

use crate::component::Chore;

/// How long published events, handled events, settled keys and tombstones are kept: longer than a topic keeps records (the plan allows it
/// 30 days), so that no record comes again after it was forgotten.
const KEEP: Duration = Duration::from_hours(60 * 24);

/// Deletes what is too old to matter, once an hour.
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
