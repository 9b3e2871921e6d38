//! Checks the parts of a platform's topic that its services depend on.

use innkeeper_contracts::event::MAX_EVENT_BYTES;
use innkeeper_crds::BookingPlatformSpec;
use innkeeper_crds::event_topic::TopicConfig;
use innkeeper_crds::event_topic::config::CleanupPolicy;

use crate::refusal::Collector;

/// The longest retention of a platform's topic. Services remember for 60 days which events they
/// have handled (`pruning` in `innkeeper-runtime`). A broker deletes whole files, so a record may
/// stay some days longer than the retention.
const LONGEST_RETENTION_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    let topic = spec.messaging.as_ref().and_then(|it| it.topic.as_ref());
    if let Some(config) = topic.and_then(|topic| topic.config.as_ref()) {
        check_config(config, collector);
    }
}

fn check_config(config: &TopicConfig, collector: &mut Collector) {
    let allowed = 0..=LONGEST_RETENTION_MS;
    if config.retention_ms.is_some_and(|ms| !allowed.contains(&ms)) {
        collector.refuse(
            "spec.messaging.topic.config.retention.ms",
            format!(
                "services remember what they have handled for longer than the topic keeps records: set at most {LONGEST_RETENTION_MS} (30 days)"
            ),
        );
    }
    let is_too_small = |bytes| usize::try_from(bytes).is_ok_and(|bytes| bytes < MAX_EVENT_BYTES);
    if config.max_message_bytes.is_some_and(is_too_small) {
        collector.refuse(
            "spec.messaging.topic.config.max.message.bytes",
            format!(
                "the topic would refuse the largest events: set at least {MAX_EVENT_BYTES}, or leave it out"
            ),
        );
    }
    if !matches!(config.cleanup_policy, None | Some(CleanupPolicy::Delete)) {
        collector.refuse(
            "spec.messaging.topic.config.cleanup.policy",
            "every record of a saga counts, and compaction would leave the newest alone: use delete",
        );
    }
}
