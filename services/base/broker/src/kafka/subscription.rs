//! A member of a consumer group, as the service sees it: it asks a thread of its own, since librdkafka's callbacks block.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{Delivery, LogError, Record, Subscription};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use tokio::sync::{mpsc, oneshot};

use super::assignment::Assignment;
use super::{config, member, unavailable};

/// How long leaving a group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the service asks of the member's thread.
pub enum Command {
    /// The next delivery.
    Next,
    /// To commit, and to leave.
    Close(oneshot::Sender<Result<(), KafkaError>>),
}

/// The service's end. The consumer comes first, so that its last handle is the thread's: dropping that one blocks.
struct KafkaSubscription {
    consumer: Arc<StreamConsumer<Assignment>>,
    commands: mpsc::Sender<Command>,
    deliveries: mpsc::Receiver<Result<Delivery, LogError>>,
    /// Whether a delivery was asked for and has not been taken.
    asked: bool,
}

/// Joins the group.
pub fn join(settings: &settings::Kafka) -> Result<impl Subscription + 'static, KafkaError> {
    let assignment = Assignment::of(&settings.topic);
    let consumer: StreamConsumer<Assignment> =
        config::consumer(settings).create_with_context(assignment)?;
    consumer.subscribe(&[&settings.topic])?;
    let consumer = Arc::new(consumer);
    let (commands, asked) = mpsc::channel(2);
    let (answers, deliveries) = mpsc::channel(1);
    std::thread::spawn({
        let consumer = Arc::clone(&consumer);
        move || member::run(consumer, asked, &answers)
    });
    Ok(KafkaSubscription {
        consumer,
        commands,
        deliveries,
        asked: false,
    })
}

/// The thread has ended before its time.
#[derive(Debug, thiserror::Error)]
#[error("the member of the consumer group has stopped")]
struct Stopped;

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn next(&mut self) -> Result<Delivery, LogError> {
        if !self.asked {
            let sent = self.commands.send(Command::Next).await;
            sent.map_err(|_| unavailable(Stopped))?;
            self.asked = true;
        }
        let delivery = self.deliveries.recv().await;
        self.asked = false;
        delivery.unwrap_or_else(|| Err(unavailable(Stopped)))
    }

    async fn mark_done(&mut self, records: &[Record]) -> Result<(), LogError> {
        let offsets = self.consumer.context().mark_done(records);
        if let Err(error) = self.consumer.store_offsets(&offsets) {
            // A partition was just taken away: whoever has it now begins where the group has committed.
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "offsets are not stored"
            );
        }
        Ok(())
    }

    async fn lag(&mut self) -> Option<i64> {
        self.consumer.context().lag()
    }

    async fn close(self: Box<Self>) -> Result<(), LogError> {
        let Self {
            consumer, commands, ..
        } = *self;
        drop(consumer);
        let (closed, outcome) = oneshot::channel();
        let sent = commands.send(Command::Close(closed)).await;
        sent.map_err(|_| unavailable(Stopped))?;
        let outcome = tokio::time::timeout(CLOSE_TIMEOUT, outcome).await;
        let outcome = outcome.map_err(unavailable)?;
        outcome.map_err(unavailable)?.map_err(unavailable)
    }
}
