//! The service's side of a member of a consumer group. The member runs on a thread of its own,
//! because librdkafka's callbacks block.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{Delivery, LogError, Record, Subscription};
use rdkafka::consumer::{Consumer, StreamConsumer};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::assignment::Assignment;
use super::member::{self, Command};
use super::rotation::{LOOK_EVERY, Rotation};
use super::{config, log_error, unavailable};

/// How long leaving a group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The service's side. `consumer` is the first field so that it is dropped first and the thread has
/// the last handle, whose drop blocks.
struct KafkaSubscription {
    consumer: Arc<StreamConsumer<Assignment>>,
    commands: mpsc::Sender<Command>,
    deliveries: mpsc::Receiver<Result<Delivery, LogError>>,
    /// Whether a delivery was asked for and not received yet.
    asked: bool,
    rotation: Rotation,
    /// When to look for changed credentials.
    look: Interval,
}

/// Joins the group and starts the thread of the member.
pub fn join(settings: &settings::Kafka) -> Result<impl Subscription + 'static, LogError> {
    let rotation = Rotation::begin(settings).map_err(unavailable)?;
    let config = config::consumer(rotation.client(), &settings.group);
    let consumer = config.create_with_context(Assignment::of(settings));
    let consumer: StreamConsumer<Assignment> = consumer.map_err(unavailable)?;
    let subscribed = consumer.subscribe(&[&settings.topic]);
    subscribed.map_err(|error| log_error(error, settings))?;
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
        rotation,
        look: looks(),
    })
}

/// The instants at which to look at the files: not at once, and once if some were missed.
fn looks() -> Interval {
    let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// The thread of the member has ended unexpectedly.
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
        loop {
            tokio::select! {
                delivery = self.deliveries.recv() => {
                    self.asked = false;
                    return delivery.unwrap_or_else(|| Err(unavailable(Stopped)));
                }
                _ = self.look.tick() => if self.rotation.look() {
                    tracing::info!("the credentials for Kafka have changed, and it joins anew");
                    return Ok(Delivery::Expired);
                },
            }
        }
    }

    async fn mark_done(&mut self, records: &[Arc<Record>]) -> Result<(), LogError> {
        let offsets = self.consumer.context().mark_done(records);
        if let Err(error) = self.consumer.store_offsets(&offsets) {
            // A partition was just revoked. Its new owner begins at the committed offset.
            tracing::debug!(
                %error,
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
