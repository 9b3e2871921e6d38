//! Events, for people who ask `kubectl describe` what happened.

use kube::runtime::events::{Event, EventType};

use crate::context::Context;
use crate::status::{Observed, what};
use crate::verdict::{Reason, State, Verdict, ready_condition};

/// What was done, as an event's action has it.
const ACTION: &str = "Reconcile";

/// Tells of a verdict, when it is another than the object's status has.
pub(crate) async fn publish_change<K: Observed>(ctx: &Context, object: &K, verdict: &Verdict) {
    let before = ready_condition(object.conditions());
    if before.is_some_and(|it| it.reason == verdict.reason.word()) {
        return;
    }
    let severity = match (verdict.state, verdict.reason) {
        (State::Stalled, _) | (_, Reason::TopicLost | Reason::DeletionFailed) => EventType::Warning,
        (State::Ready | State::Reconciling, _) => EventType::Normal,
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
        note: Some(short(note)),
        action: ACTION.to_owned(),
        secondary: None,
    };
    if let Err(error) = ctx.recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(object = what(object), %error, "could not publish an event");
    }
}

/// An event's note holds at most 1024 bytes.
fn short(note: &str) -> String {
    note[..note.floor_char_boundary(1_000)].to_owned()
}
