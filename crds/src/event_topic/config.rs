//! The settings of a topic: everything that Kafka 4.1 knows, by Kafka's names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

/// Settings of a topic by Kafka's own names.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TopicConfig {
    /// What happens to old records.
    #[serde(rename = "cleanup.policy")]
    pub cleanup_policy: Option<CleanupPolicy>,
    /// How records are compressed.
    #[serde(rename = "compression.type")]
    pub compression_type: Option<Compression>,
    /// Effort of gzip, 1 to 9; -1 is its default.
    #[serde(rename = "compression.gzip.level")]
    #[schemars(extend("enum" = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9]))]
    pub compression_gzip_level: Option<i32>,
    /// Effort of lz4, 1 to 17.
    #[serde(rename = "compression.lz4.level")]
    #[schemars(range(min = 1, max = 17))]
    pub compression_lz4_level: Option<i32>,
    /// Effort of zstd, from -131072 (fastest) to 22 (smallest).
    #[serde(rename = "compression.zstd.level")]
    #[schemars(range(min = -131_072, max = 22))]
    pub compression_zstd_level: Option<i32>,
    /// How long a compacted topic keeps marks of deletion, in milliseconds.
    #[serde(rename = "delete.retention.ms")]
    #[schemars(range(min = 0))]
    pub delete_retention_ms: Option<i64>,
    /// How long a deleted file stays on disk, in milliseconds.
    #[serde(rename = "file.delete.delay.ms")]
    #[schemars(range(min = 0))]
    pub file_delete_delay_ms: Option<i64>,
    /// Records after which a partition is forced to disk.
    #[serde(rename = "flush.messages")]
    #[schemars(range(min = 1))]
    pub flush_messages: Option<i64>,
    /// Milliseconds after which a partition is forced to disk.
    #[serde(rename = "flush.ms")]
    #[schemars(range(min = 0))]
    pub flush_ms: Option<i64>,
    /// Replicas whose following is throttled: `partition:broker,…` or `*`.
    #[serde(rename = "follower.replication.throttled.replicas")]
    #[schemars(length(max = 4096))]
    pub follower_replication_throttled_replicas: Option<String>,
    /// Bytes between two entries of the index.
    #[serde(rename = "index.interval.bytes")]
    #[schemars(range(min = 0))]
    pub index_interval_bytes: Option<i32>,
    /// Replicas whose leading is throttled: `partition:broker,…` or `*`.
    #[serde(rename = "leader.replication.throttled.replicas")]
    #[schemars(length(max = 4096))]
    pub leader_replication_throttled_replicas: Option<String>,
    /// Bytes of a partition that stay on the broker with tiered storage; -2 follows
    /// `retention.bytes`.
    #[serde(rename = "local.retention.bytes")]
    #[schemars(range(min = -2))]
    pub local_retention_bytes: Option<i64>,
    /// Milliseconds that records stay on the broker with tiered storage; -2 follows `retention.ms`.
    #[serde(rename = "local.retention.ms")]
    #[schemars(range(min = -2))]
    pub local_retention_ms: Option<i64>,
    /// Milliseconds after which a record is compacted at the latest.
    #[serde(rename = "max.compaction.lag.ms")]
    #[schemars(range(min = 1))]
    pub max_compaction_lag_ms: Option<i64>,
    /// Largest batch of records in bytes.
    #[serde(rename = "max.message.bytes")]
    #[schemars(range(min = 0))]
    pub max_message_bytes: Option<i32>,
    /// Milliseconds that a record's time may be ahead of the broker's.
    #[serde(rename = "message.timestamp.after.max.ms")]
    #[schemars(range(min = 0))]
    pub message_timestamp_after_max_ms: Option<i64>,
    /// Milliseconds that a record's time may be behind the broker's.
    #[serde(rename = "message.timestamp.before.max.ms")]
    #[schemars(range(min = 0))]
    pub message_timestamp_before_max_ms: Option<i64>,
    /// Whose time a record has.
    #[serde(rename = "message.timestamp.type")]
    pub message_timestamp_type: Option<TimestampType>,
    /// Share of a log that must be new before it is compacted.
    #[serde(rename = "min.cleanable.dirty.ratio")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_cleanable_dirty_ratio: Option<f64>,
    /// Milliseconds that a record stays as it is.
    #[serde(rename = "min.compaction.lag.ms")]
    #[schemars(range(min = 0))]
    pub min_compaction_lag_ms: Option<i64>,
    /// Replicas that must have a record before it counts as written.
    #[serde(rename = "min.insync.replicas")]
    #[schemars(range(min = 1, max = 16))]
    pub min_insync_replicas: Option<i32>,
    /// Whether files are made in full size at once.
    #[serde(rename = "preallocate")]
    pub preallocate: Option<bool>,
    /// Whether tiered storage takes nothing more.
    #[serde(rename = "remote.log.copy.disable")]
    pub remote_log_copy_disable: Option<bool>,
    /// Whether tiered records are deleted when tiered storage is switched off.
    #[serde(rename = "remote.log.delete.on.disable")]
    pub remote_log_delete_on_disable: Option<bool>,
    /// Whether old records move to tiered storage.
    #[serde(rename = "remote.storage.enable")]
    pub remote_storage_enable: Option<bool>,
    /// Bytes of a partition that are kept; -1 is no limit.
    #[serde(rename = "retention.bytes")]
    #[schemars(range(min = -1))]
    pub retention_bytes: Option<i64>,
    /// Milliseconds that records are kept; -1 is no limit.
    #[serde(rename = "retention.ms")]
    #[schemars(range(min = -1))]
    pub retention_ms: Option<i64>,
    /// Largest file of a partition in bytes.
    #[serde(rename = "segment.bytes")]
    #[schemars(range(min = 1_048_576))]
    pub segment_bytes: Option<i32>,
    /// Largest index file in bytes.
    #[serde(rename = "segment.index.bytes")]
    #[schemars(range(min = 4))]
    pub segment_index_bytes: Option<i32>,
    /// Most milliseconds by which a new file may come earlier.
    #[serde(rename = "segment.jitter.ms")]
    #[schemars(range(min = 0))]
    pub segment_jitter_ms: Option<i64>,
    /// Milliseconds after which a new file begins.
    #[serde(rename = "segment.ms")]
    #[schemars(range(min = 1))]
    pub segment_ms: Option<i64>,
    /// Whether a replica that has not all records may lead.
    #[serde(rename = "unclean.leader.election.enable")]
    pub unclean_leader_election_enable: Option<bool>,
}

/// What happens to old records.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CleanupPolicy {
    /// Records are deleted once they are too old, or their partition is too large.
    #[serde(rename = "delete")]
    Delete,
    /// Only the newest of each key stays.
    #[serde(rename = "compact")]
    Compact,
    /// Only the newest of each key stays, and old records are deleted as well.
    #[serde(rename = "compact,delete")]
    CompactAndDelete,
}

/// How records are compressed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Records are stored without compression.
    Uncompressed,
    /// Records are stored compressed with zstd.
    Zstd,
    /// Records are stored compressed with lz4.
    Lz4,
    /// Records are stored compressed with snappy.
    Snappy,
    /// Records are stored compressed with gzip.
    Gzip,
    /// Records are stored as the producer compressed them.
    Producer,
}

/// Whose time a record has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum TimestampType {
    /// The time that the producer gave to the record.
    CreateTime,
    /// The time at which the broker appended the record.
    LogAppendTime,
}

impl TopicConfig {
    /// The settings in Kafka's form: every key that is set, with its value as text.
    pub fn entries(&self) -> BTreeMap<String, String> {
        let Ok(Value::Object(fields)) = serde_json::to_value(self) else {
            return BTreeMap::new();
        };
        fields
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => (key, text),
                other => (key, other.to_string()),
            })
            .collect()
    }
}
