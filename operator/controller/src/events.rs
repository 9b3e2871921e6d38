//! Kubernetes events, for people who use `kubectl describe`.

use innkeeper_contracts::content::short_hash;
use innkeeper_contracts::secret::masked;
use innkeeper_plan::verdict::{Reason, State, Verdict, ready_condition};
use kube::runtime::events::{Event, EventType};

use crate::context::Context;
use crate::status::{HasConditions, what};

/// The action of every event.
const ACTION: &str = "Reconcile";

/// Logs a verdict and publishes it as an event if its reason differs from the one in the object's
/// status. If only the message differs, the verdict is logged, provided that somebody should act.
pub(crate) async fn publish_change<K: HasConditions>(ctx: &Context, object: &K, verdict: &Verdict) {
    let before = ready_condition(object.conditions());
    let is_same_reason = before.is_some_and(|it| it.reason == verdict.reason.word());
    let is_same = is_same_reason && before.is_some_and(|it| it.message == verdict.message);
    if !is_same_reason || (!is_same && is_for_someone(verdict)) {
        log(object, verdict);
    }
    if is_same_reason {
        return;
    }
    let severity = if is_for_someone(verdict) {
        EventType::Warning
    } else {
        EventType::Normal
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

/// Whether somebody should act, even if the object makes progress by itself.
fn is_for_someone(verdict: &Verdict) -> bool {
    let reasons = [
        Reason::TopicLost,
        Reason::DeletionFailed,
        Reason::KafkaUnreachable,
    ];
    verdict.state == State::Stalled || reasons.contains(&verdict.reason)
}

fn log<K: HasConditions>(object: &K, verdict: &Verdict) {
    let (reason, said) = (verdict.reason.word(), &verdict.message);
    let (object, namespace) = (what(object), object.meta().namespace.as_deref());
    if is_for_someone(verdict) {
        tracing::warn!(object, namespace, reason, "{said}");
    } else {
        tracing::info!(object, namespace, reason, "{said}");
    }
}

/// Publishes an event about an object. A failure is only logged, because no work depends on it.
pub(crate) async fn publish<K: HasConditions>(
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
        action: action(note),
        secondary: None,
    };
    if let Err(error) = ctx.recorder.publish(&event, &object.object_ref(&())).await {
        tracing::warn!(object = what(object), %error, "could not publish an event");
    }
}

/// The action of an event. The recorder treats events with the same action and reason as
/// repetitions of the first one and drops their notes, so every note gets an action of its own.
fn action(note: &str) -> String {
    format!("{ACTION}-{}", short_hash(note.as_bytes()))
}

/// The note without secrets, cut to the 1024 bytes that an event can hold.
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

    #[test]
    fn only_events_with_the_same_note_are_repetitions() {
        assert_eq!(action("a was put back"), action("a was put back"));
        assert_ne!(action("a was put back"), action("b was put back"));
    }
}
