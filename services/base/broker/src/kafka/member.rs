//! The thread of a member. It polls only when the service asks for a delivery. Partitions may go to
//! another member while their records are being handled: the inbox lets each have its effect once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{Delivery, LogError};
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::assignment::Assignment;
use super::poll::Poll;

/// How long a rebalance may delay the last commit and leaving the group.
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two polls for callbacks.
const CALLBACK_DELAY: Duration = Duration::from_millis(2);

/// What the service asks of the member's thread.
pub enum Command {
    /// To send the next delivery.
    Next,
    /// To commit, and to leave the group.
    Close(oneshot::Sender<Result<(), KafkaError>>),
}

/// Serves commands until the service closes or drops its end of the channel; then commits what is
/// done and leaves the group.
pub fn run(
    consumer: Arc<StreamConsumer<Assignment>>,
    commands: mpsc::Receiver<Command>,
    answers: &mpsc::Sender<Result<Delivery, LogError>>,
) {
    let closing = futures::executor::block_on(serve(&consumer, commands, answers));
    let committed = commit_between_rebalances(&consumer);
    leave(&consumer);
    drop(consumer);
    if let Some(closing) = closing {
        // A caller that has stopped waiting does not need the result.
        let _ = closing.send(committed);
    }
}

async fn serve(
    consumer: &StreamConsumer<Assignment>,
    mut commands: mpsc::Receiver<Command>,
    answers: &mpsc::Sender<Result<Delivery, LogError>>,
) -> Option<oneshot::Sender<Result<(), KafkaError>>> {
    let mut poll = Poll::new(consumer);
    let mut asked = false;
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command? {
                Command::Next => asked = true,
                Command::Close(closing) => return Some(closing),
            },
            delivery = poll.next_delivery(), if asked => {
                asked = false;
                answers.send(delivery).await.ok()?;
            }
        }
    }
}

/// Commits what is done. While the group rebalances, the broker refuses commits of the old
/// generation, so the rebalance is served first.
fn commit_between_rebalances(consumer: &StreamConsumer<Assignment>) -> Result<(), KafkaError> {
    let given_up = Instant::now() + REBALANCE_TIMEOUT;
    loop {
        let outcome = commit(consumer);
        if !outcome.as_ref().is_err_and(is_rebalancing) || Instant::now() > given_up {
            return outcome;
        }
        serve_callbacks(consumer);
    }
}

/// Gives all partitions back, and returns when no callback can come any more, because a consumer
/// that is closed while librdkafka waits for a rebalance callback hangs:
/// <https://github.com/confluentinc/librdkafka/issues/4884>.
fn leave(consumer: &StreamConsumer<Assignment>) {
    consumer.unsubscribe();
    let given_up = Instant::now() + REBALANCE_TIMEOUT;
    while Instant::now() < given_up {
        let rebalances = consumer.context().rebalances();
        let holds_none = consumer.assignment().is_ok_and(|held| held.count() == 0);
        serve_callbacks(consumer);
        if holds_none && consumer.context().rebalances() == rebalances {
            return;
        }
    }
}

/// Gives librdkafka a moment for its callbacks. Messages that arrive meanwhile are not marked as
/// done, so the next member gets them.
fn serve_callbacks(consumer: &StreamConsumer<Assignment>) {
    let mut messages = consumer.stream();
    for _ in 0..10 {
        while messages.next().now_or_never().is_some() {}
        std::thread::sleep(CALLBACK_DELAY);
    }
}

fn commit(consumer: &StreamConsumer<Assignment>) -> Result<(), KafkaError> {
    match consumer.commit_consumer_state(CommitMode::Sync) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => Ok(()),
        outcome => outcome,
    }
}

fn is_rebalancing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::IllegalGeneration | RDKafkaErrorCode::RebalanceInProgress)
    )
}
