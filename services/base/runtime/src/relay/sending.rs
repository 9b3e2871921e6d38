//! The events that were sent to the log and whose outcome the relay has not handled yet.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{AppendError, Log, NewRecord};
use innkeeper_kit::store::OutboxEvent;
use uuid::Uuid;

/// What became of an event that was sent.
pub struct Sent {
    pub event_id: Uuid,
    pub saga: Uuid,
    pub result: Result<(), AppendError>,
    /// The number of the append.
    append: u64,
}

/// The appends that are under way.
pub struct Sending<'a> {
    log: &'a dyn Log,
    under_way: SelectAll<BoxStream<'a, Sent>>,
    outcomes: Vec<Sent>,
    /// The number of the latest append, and how many of its outcomes are to come.
    latest: (u64, usize),
}

impl<'a> Sending<'a> {
    pub fn new(log: &'a dyn Log) -> Self {
        Self {
            log,
            under_way: SelectAll::new(),
            outcomes: Vec::new(),
            latest: (0, 0),
        }
    }

    /// Begins to append events.
    pub fn begin(&mut self, events: Vec<OutboxEvent>) {
        let append = self.latest.0 + 1;
        self.latest = (append, events.len());
        let ids = events.iter().map(|event| (event.id, event.aggregate_id));
        let ids: Vec<(Uuid, Uuid)> = ids.collect();
        let records = events.into_iter().map(NewRecord::from).collect();
        let sent = self.log.append(records).map(move |(index, result)| {
            let (event_id, saga) = ids[index];
            Sent {
                event_id,
                saga,
                result,
                append,
            }
        });
        self.under_way.push(sent.boxed());
    }

    /// Waits until an outcome is known; for ever if nothing is under way. The future can be dropped
    /// while it waits; nothing is lost.
    pub async fn wait_for_outcome(&mut self) {
        if !self.outcomes.is_empty() {
            return;
        }
        match self.under_way.next().await {
            Some(sent) => self.keep(sent),
            None => std::future::pending().await,
        }
    }

    /// Takes the outcomes that are known already.
    pub fn take_outcomes(&mut self) -> Vec<Sent> {
        while let Some(Some(sent)) = self.under_way.next().now_or_never() {
            self.keep(sent);
        }
        std::mem::take(&mut self.outcomes)
    }

    /// Waits for the outcomes of the latest append, and takes all that are known then or after this
    /// time.
    pub async fn outcomes_of_latest(&mut self, within: Duration) -> Vec<Sent> {
        let latest = async {
            while self.latest.1 > 0 {
                let Some(sent) = self.under_way.next().await else {
                    return;
                };
                self.keep(sent);
            }
        };
        // What comes later is taken later.
        let _ = tokio::time::timeout(within, latest).await;
        self.take_outcomes()
    }

    /// Waits for all outcomes, and takes those that are known after this time.
    pub async fn all_outcomes(&mut self, within: Duration) -> Vec<Sent> {
        let all = async {
            while let Some(sent) = self.under_way.next().await {
                self.keep(sent);
            }
        };
        // The events of the others stay in the outbox.
        let _ = tokio::time::timeout(within, all).await;
        std::mem::take(&mut self.outcomes)
    }

    fn keep(&mut self, sent: Sent) {
        if sent.append == self.latest.0 {
            self.latest.1 = self.latest.1.saturating_sub(1);
        }
        self.outcomes.push(sent);
    }
}
