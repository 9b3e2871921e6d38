//! A log that loses events.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use innkeeper_contracts::EventType;
use innkeeper_kit::log::{Appended, Header, Log, LogError, NewRecord, Subscription};

/// A log between a service and the real one, which loses events of some types.
pub struct Losing {
    pub log: Arc<dyn Log>,
    pub lost: Vec<EventType>,
}

#[async_trait]
impl Log for Losing {
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        let is_lost = |(name, value): &Header| {
            name == "ce_type" && self.lost.iter().any(|lost| lost.as_str() == value)
        };
        let records = records.into_iter().enumerate();
        let (lost, kept): (Vec<_>, Vec<_>) =
            records.partition(|(_, record)| record.headers.iter().any(is_lost));
        let lost = lost.into_iter().map(|(index, _)| (index, Ok(())));
        let (places, kept): (Vec<usize>, Vec<NewRecord>) = kept.into_iter().unzip();
        let kept = self.log.append(kept);
        let kept = kept.map(move |(index, appended)| (places[index], appended));
        stream::iter(lost).chain(kept).boxed()
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        self.log.subscribe().await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}
