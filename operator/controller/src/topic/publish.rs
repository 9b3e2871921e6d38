//! Publishes what was done to a topic, in the log and as an event.

use innkeeper_crds::EventTopic;
use innkeeper_plan::topic::event::{Severity, TopicEvent};
use kube::runtime::events::EventType;

use crate::context::Context;
use crate::events;
use crate::status::what;

/// Logs an event about a topic and publishes it.
pub(super) async fn publish(ctx: &Context, topic: &EventTopic, event: &TopicEvent) {
    let TopicEvent {
        severity,
        reason,
        note,
    } = event;
    let severity = match severity {
        Severity::Normal => {
            tracing::info!(object = what(topic), reason, "{note}");
            EventType::Normal
        }
        Severity::Warning => {
            tracing::warn!(object = what(topic), reason, "{note}");
            EventType::Warning
        }
    };
    events::publish(ctx, topic, severity, reason, note).await;
}
