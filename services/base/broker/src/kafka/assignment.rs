//! Which partitions a member holds, its position in each, and librdkafka's callbacks about them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use innkeeper_contracts::settings;
use innkeeper_kit::log::Record;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::Notify;

/// How long the group's coordinator may take to tell the committed offsets.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(10);

/// The position of a member in one partition. Offsets are unknown until they are seen.
#[derive(Debug, Default)]
struct Position {
    /// Offset of the next record to deliver.
    next: Option<i64>,
    /// Offset before which every record is done.
    done: Option<i64>,
    /// Offset of the earliest record.
    low: Option<i64>,
    /// Offset after the latest record.
    high: Option<i64>,
}

impl Position {
    fn lag(&self) -> Option<i64> {
        let high = self.high?;
        let start = self.done.max(self.low)?;
        Some((high - start).max(0))
    }
}

#[derive(Default)]
struct State {
    positions: BTreeMap<i32, Position>,
    /// How many rebalances there were.
    rebalances: u64,
    /// The number of partitions after each change that was not delivered yet.
    changes: VecDeque<usize>,
}

/// The member's partitions, shared with librdkafka's callbacks.
pub struct Assignment {
    settings: settings::Kafka,
    state: Mutex<State>,
    changed: Notify,
}

impl Assignment {
    pub fn of(settings: &settings::Kafka) -> Self {
        Self {
            settings: settings.clone(),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub const fn settings(&self) -> &settings::Kafka {
        &self.settings
    }

    /// Waits for a change of the assignment and returns the new number of partitions. Each change
    /// is returned once.
    pub async fn wait_for_change(&self) -> usize {
        loop {
            let change = self.state().changes.pop_front();
            match change {
                Some(partitions) => return partitions,
                None => self.changed.notified().await,
            }
        }
    }

    /// How many rebalances there were.
    pub fn rebalances(&self) -> u64 {
        self.state().rebalances
    }

    /// Whether the member holds a partition.
    pub fn holds(&self, partition: i32) -> bool {
        self.state().positions.contains_key(&partition)
    }

    /// Notes that a record is delivered. If there is a gap before it, returns the offset that was
    /// expected.
    pub fn delivered(&self, partition: i32, offset: i64) -> Option<i64> {
        let mut state = self.state();
        let position = state.positions.entry(partition).or_default();
        let expected = position.next.replace(offset + 1)?;
        (expected < offset).then_some(expected)
    }

    /// Notes what is done, and returns the offsets to commit. Partitions that were revoked, or are
    /// further on already, are left out.
    pub fn mark_done(&self, records: &[Arc<Record>]) -> TopicPartitionList {
        let mut state = self.state();
        let mut next_offsets = BTreeMap::new();
        for record in records {
            let next = record.offset + 1;
            let known = next_offsets.entry(record.partition).or_insert(next);
            *known = next.max(*known);
        }
        let mut list = TopicPartitionList::new();
        for (partition, next) in next_offsets {
            if let Some(position) = state.positions.get_mut(&partition)
                && position.done.is_none_or(|done| done < next)
            {
                position.done = Some(next);
                list.add_partition_offset(&self.settings.topic, partition, Offset::Offset(next))
                    .expect("an offset that was consumed can be stored");
            }
        }
        list
    }

    /// How many records are not done yet; `None` while that is unknown.
    pub fn lag(&self) -> Option<i64> {
        self.state().positions.values().map(Position::lag).sum()
    }

    fn assign(&self, committed: &TopicPartitionList) {
        let mut state = self.state();
        for element in committed.elements() {
            let offset = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            let position = Position {
                next: offset,
                done: offset,
                ..Position::default()
            };
            state.positions.insert(element.partition(), position);
        }
        self.tell(state);
    }

    fn revoke(&self, partitions: &TopicPartitionList) {
        let mut state = self.state();
        for element in partitions.elements() {
            state.positions.remove(&element.partition());
        }
        self.tell(state);
    }

    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let partitions = state.positions.len();
        state.changes.push_back(partitions);
        state.rebalances += 1;
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches the group's offsets in these partitions; without offsets if the coordinator does not
/// answer.
fn fetch_committed(
    consumer: &BaseConsumer<Assignment>,
    partitions: &TopicPartitionList,
) -> TopicPartitionList {
    let committed = consumer.committed_offsets(partitions.clone(), COMMITTED_TIMEOUT);
    committed.unwrap_or_else(|error| {
        tracing::warn!(
            %error,
            "cannot learn the group's offsets"
        );
        partitions.clone()
    })
}

impl ClientContext for Assignment {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(
            %error,
            reason,
            "the Kafka client reports a problem"
        );
    }

    fn stats(&self, statistics: Statistics) {
        let mut state = self.state();
        let Some(topic) = statistics.topics.get(&self.settings.topic) else {
            return;
        };
        for (partition, figures) in &topic.partitions {
            if let Some(position) = state.positions.get_mut(partition) {
                position.low = (figures.lo_offset >= 0).then_some(figures.lo_offset);
                position.high = (figures.hi_offset >= 0).then_some(figures.hi_offset);
            }
        }
    }
}

impl ConsumerContext for Assignment {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => self.assign(&fetch_committed(consumer, partitions)),
            Rebalance::Revoke(partitions) => self.revoke(partitions),
            Rebalance::Error(error) => {
                tracing::warn!(
                    %error,
                    "a rebalance failed"
                );
            }
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(
                %error,
                "cannot commit offsets"
            );
        }
    }
}
