//! Events, for people who ask `kubectl describe` what happened.

use innkeeper_contracts::secret::masked;
use kube::runtime::events::{Event, EventType};

use crate::context::Context;
use crate::status::{Observed, what};
use crate::verdict::{State, Verdict, ready_condition};

/// What was done, as an event's action has it.
const ACTION: &str = "Reconcile";

/// Tells of a verdict, when it is another than the object's status has.
pub(crate) async fn publish_change<K: Observed>(ctx: &Context, object: &K, verdict: &Verdict) {
    let before = ready_condition(object.conditions());
    if before.is_some_and(|it| it.reason == verdict.reason.word()) {
        return;
    }
    let severity = match verdict.state {
        State::Ready | State::Reconciling => EventType::Normal,
        State::Stalled => EventType::Warning,
    };
    publish(
        ctx,
        object,
        severity,
        &verdict.reason.word(),
        &verdict.message,
    )
    .await;
}

/// Tells of something that happened to an object. What cannot be told is logged: no work depends on it.
pub(crate) async fn publish<K: Observed>(
    ctx: &Context,
    object: &K,
    severity: EventType,
    reason: &str,
    note: &str,
) {
    let event = Event {
        type_: severity,
        reason: reason.to_owned(),
        note: Some(shown(note)),
        action: ACTION.to_owned(),
        secondary: None,
    };
    if let Err(error) = ctx.recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(object = what(object), %error, "could not publish an event");
    }
}

/// What may be shown of a note; an event holds at most 1024 bytes of one.
fn shown(note: &str) -> String {
    let note = masked(note);
    note[..note.floor_char_boundary(1_000)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_shows_no_password_and_is_not_too_long() {
        let note = format!("kim:s3cret@kafka:9092 {}", "x".repeat(2_000));
        let shown = shown(&note);
        assert!(shown.starts_with("***@kafka:9092 x"), "{shown}");
        assert!(shown.len() <= 1_024);
    }
}
