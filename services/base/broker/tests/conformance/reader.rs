//! Reads a subscription with a deadline.

use std::sync::Arc;

use innkeeper_kit::log::{Delivery, Log, Record, Subscription};
use innkeeper_testkit::patience::in_time;

/// A member of a group that remembers what it was told besides records.
pub struct Reader {
    pub subscription: Box<dyn Subscription>,
    pub assigned: Vec<usize>,
    pub overtaken: i64,
}

impl Reader {
    pub async fn join(log: &dyn Log) -> Self {
        Self {
            subscription: log.subscribe().await.expect("the log takes members"),
            assigned: Vec::new(),
            overtaken: 0,
        }
    }

    /// The next records; errors are told, for no case expects one.
    pub async fn next(&mut self) -> Vec<Arc<Record>> {
        loop {
            let delivery = in_time("a delivery", self.subscription.next()).await;
            match delivery.expect("the log works") {
                Delivery::Records(records) => {
                    assert!(!records.is_empty(), "an empty delivery");
                    return records;
                }
                Delivery::Assigned { partitions } => self.assigned.push(partitions),
                Delivery::Overtaken { records, .. } => self.overtaken += records,
                Delivery::Expired => panic!("its credentials have not changed"),
            }
        }
    }

    /// At least so many records.
    pub async fn read(&mut self, count: usize) -> Vec<Arc<Record>> {
        let mut records = Vec::new();
        while records.len() < count {
            records.extend(self.next().await);
        }
        records
    }

    /// Waits until it holds partitions.
    pub async fn settle(&mut self) {
        while self
            .assigned
            .last()
            .is_none_or(|partitions| *partitions == 0)
        {
            let delivery = in_time("an assignment", self.subscription.next()).await;
            match delivery.expect("the log works") {
                Delivery::Assigned { partitions } => self.assigned.push(partitions),
                other => panic!("{other:?} before an assignment"),
            }
        }
    }

    /// The number of partitions that it is told first, while the other member goes on waiting.
    pub async fn first_assignment(&mut self, other: &mut Self) -> usize {
        let both = async {
            loop {
                tokio::select! {
                    delivery = self.subscription.next() => match delivery {
                        Ok(Delivery::Assigned { partitions }) => return partitions,
                        unexpected => panic!("{unexpected:?}"),
                    },
                    delivery = other.subscription.next() => assert!(matches!(delivery, Ok(Delivery::Assigned { .. })), "{delivery:?}"),
                }
            }
        };
        in_time("an assignment", both).await
    }

    pub async fn mark_done(&mut self, records: &[Arc<Record>]) {
        let done = self.subscription.mark_done(records).await;
        done.expect("what is done can be said");
    }

    pub async fn close(self) {
        self.subscription.close().await.expect("a member can leave");
    }
}

/// The payload as text.
pub fn text(record: &Arc<Record>) -> String {
    String::from_utf8_lossy(&record.content.payload()).into_owned()
}

/// The payloads as texts.
pub fn texts(records: &[Arc<Record>]) -> Vec<String> {
    records.iter().map(text).collect()
}

/// `key:from` to `key:to`, without the last.
pub fn numbered(key: &str, from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| format!("{key}:{number}")).collect()
}
