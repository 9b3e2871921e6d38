//! Whoever sends a key again is told what it was told before.

use futures::future::join_all;

use super::clients::{Doors, Story};
use crate::http::send;

/// Every answer that is not the one that was heard before.
pub async fn faults(doors: &Doors, stories: &[Story]) -> Vec<String> {
    let keyed = stories.iter().filter(|story| story.key.is_some());
    let answers = join_all(keyed.enumerate().map(async |(turn, story)| {
        let answer = send(doors.booking(turn), story.request()).await.unwrap();
        let told = story.placed.as_ref().is_some_and(|placed| {
            answer.status == placed.status
                && answer.header("location") == placed.header("location")
                && (answer.status != 201 || answer.text == placed.text)
        });
        (!told).then(|| format!("{story:?} is now told {answer:?}"))
    }))
    .await;
    answers.into_iter().flatten().collect()
}
