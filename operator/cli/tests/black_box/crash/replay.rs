//! A client that sends a key again gets the same answer again.

use futures::future::join_all;

use super::clients::{Doors, Saga};
use crate::http::send;

/// Every answer that differs from the one before.
pub async fn faults(doors: &Doors, sagas: &[Saga]) -> Vec<String> {
    let keyed = sagas.iter().filter(|saga| saga.key.is_some());
    let answers = join_all(keyed.enumerate().map(async |(turn, saga)| {
        let answer = send(doors.booking(turn), saga.request()).await.unwrap();
        let told = saga.placed.as_ref().is_some_and(|placed| {
            answer.status == placed.status
                && answer.header("location") == placed.header("location")
                && (answer.status != 201 || answer.text == placed.text)
        });
        (!told).then(|| format!("{saga:?} is now told {answer:?}"))
    }))
    .await;
    answers.into_iter().flatten().collect()
}
