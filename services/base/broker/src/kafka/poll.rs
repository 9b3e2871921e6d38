//! Turns librdkafka's messages and errors into deliveries.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{Content, Delivery, Header, LogError, Record};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, MessageStream, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};

use super::assignment::Assignment;
use super::log_error;

/// Most messages that are taken at once.
const BATCH_MESSAGES: usize = 500;

/// How long a broker may take to tell the earliest offset of a partition.
const WATERMARKS_TIMEOUT: Duration = Duration::from_secs(5);

/// The deliveries that are ready, and the source of further ones.
pub struct Poll<'a> {
    consumer: &'a StreamConsumer<Assignment>,
    messages: MessageStream<'a, Assignment>,
    ready: VecDeque<Result<Delivery, LogError>>,
}

impl<'a> Poll<'a> {
    pub fn new(consumer: &'a StreamConsumer<Assignment>) -> Self {
        Self {
            consumer,
            messages: consumer.stream(),
            ready: VecDeque::new(),
        }
    }

    /// Waits for the next delivery. The future can be dropped while it waits.
    pub async fn next_delivery(&mut self) -> Result<Delivery, LogError> {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return delivery;
            }
            tokio::select! {
                partitions = self.consumer.context().wait_for_change() => return Ok(Delivery::Assigned { partitions }),
                Some(message) = self.messages.next() => self.take_in_batch(message),
            }
        }
    }

    /// Takes a message, and all others that are available without waiting.
    fn take_in_batch(&mut self, first: Result<BorrowedMessage<'a>, KafkaError>) {
        let before = self.consumer.context().rebalances();
        self.take_in(first);
        for _ in 1..BATCH_MESSAGES {
            match self.messages.next().now_or_never().flatten() {
                Some(message) => self.take_in(message),
                None => break,
            }
        }
        if self.consumer.context().rebalances() != before {
            self.leave_what_was_taken_away();
        }
    }

    /// Removes records of partitions that a rebalance during the batch gave to other members, who
    /// will get those records.
    fn leave_what_was_taken_away(&mut self) {
        let assignment = self.consumer.context();
        self.ready.retain_mut(|delivery| match delivery {
            Ok(Delivery::Records(records)) => {
                records.retain(|record| assignment.holds(record.partition));
                !records.is_empty()
            }
            _ => true,
        });
    }

    fn take_in(&mut self, message: Result<BorrowedMessage<'a>, KafkaError>) {
        match message {
            Ok(message) => self.take_in_message(&message),
            Err(error) if mends_itself(&error) => {
                tracing::debug!(
                    %error,
                    "a passing problem with the broker"
                );
            }
            Err(error) => {
                let error = log_error(error, self.consumer.context().settings());
                self.ready.push_back(Err(error));
            }
        }
    }

    fn take_in_message(&mut self, message: &BorrowedMessage<'_>) {
        let (partition, offset) = (message.partition(), message.offset());
        if let Some(expected) = self.consumer.context().delivered(partition, offset) {
            let low = self.fetch_low(partition).unwrap_or(offset);
            if low > expected {
                self.ready.push_back(Ok(Delivery::Overtaken {
                    partition,
                    records: low - expected,
                }));
            }
        }
        match self.ready.back_mut() {
            Some(Ok(Delivery::Records(records))) => records.push(record(message)),
            _ => self
                .ready
                .push_back(Ok(Delivery::Records(vec![record(message)]))),
        }
    }

    /// Fetches the earliest offset of a partition. It tells deletion by retention from the gaps
    /// that compaction and transactions leave.
    fn fetch_low(&self, partition: i32) -> Option<i64> {
        let topic = &self.consumer.context().settings().topic;
        let watermarks = self
            .consumer
            .fetch_watermarks(topic, partition, WATERMARKS_TIMEOUT);
        watermarks.ok().map(|(low, _)| low)
    }
}

/// Whether the error is that of one broker, which librdkafka tries again by itself. The loss of all
/// brokers is another error.
fn mends_itself(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::SSL
        )
    )
}

/// The record in a message, without keys and headers that are not UTF-8.
fn record(message: &BorrowedMessage<'_>) -> Arc<Record> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    Arc::new(Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().and_then(text),
        content: Content::Encoded {
            headers: headers(message),
            payload: message.payload().unwrap_or_default().to_vec(),
        },
    })
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<Header> {
    let Some(headers) = message.headers() else {
        return Vec::new();
    };
    let headers = (0..headers.count()).filter_map(|index| header(headers, index));
    headers.collect()
}

fn header(headers: &BorrowedHeaders, index: usize) -> Option<Header> {
    // rdkafka panics on a header name that is not UTF-8: src/message.rs, try_get.
    let read = AssertUnwindSafe(|| headers.try_get(index));
    let header = catch_unwind(read).ok().flatten()?;
    let value = std::str::from_utf8(header.value?).ok()?;
    Some((header.key.to_owned().into(), value.to_owned()))
}
