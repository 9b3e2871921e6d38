//! The thread of a member: it polls only when the service asks, so that a rebalance finds nothing half done.

use std::sync::Arc;

use innkeeper_kit::log::{Delivery, LogError};
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::{mpsc, oneshot};

use super::assignment::Assignment;
use super::poll::Poll;
use super::subscription::Command;

/// Serves commands until the service closes or drops its end; leaves the group in the end, and commits what is done.
pub fn run(
    consumer: Arc<StreamConsumer<Assignment>>,
    commands: mpsc::Receiver<Command>,
    answers: &mpsc::Sender<Result<Delivery, LogError>>,
) {
    let closing = futures::executor::block_on(serve(&consumer, commands, answers));
    let committed = commit(&consumer);
    drop(consumer);
    if let Some(closing) = closing {
        // Whoever gave up waiting does not need to know.
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
            delivery = poll.delivery(), if asked => {
                asked = false;
                answers.send(delivery).await.ok()?;
            }
        }
    }
}

fn commit(consumer: &StreamConsumer<Assignment>) -> Result<(), KafkaError> {
    match consumer.commit_consumer_state(CommitMode::Sync) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => Ok(()),
        outcome => outcome,
    }
}
