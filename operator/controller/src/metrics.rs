//! The operator's metrics, on a registry of their own. Every series exists from the start, so that
//! rates have no gaps.

use std::time::Duration;

use innkeeper_plan::kinds;
use innkeeper_plan::verdict::State;
use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use crate::error::Class;
use crate::kafka_call::AdminCall;

/// The result label of a reconciliation without an error.
const FINISHED: &str = "finished";
/// Upper bounds of the histogram buckets, in seconds.
const SECONDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of the operator.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    reconciliations: IntCounterVec,
    durations: HistogramVec,
    objects: IntGaugeVec,
    admin_calls: IntCounterVec,
    drift: IntCounter,
    leader: IntGauge,
    waiting: IntGauge,
    certificate_ends: IntGaugeVec,
}

impl Metrics {
    /// Creates all series at zero, on a new registry.
    pub(crate) fn registered() -> Result<Self, prometheus::Error> {
        let metrics = Self {
            registry: Registry::new(),
            reconciliations: IntCounterVec::new(
                Opts::new(
                    "innkeeper_operator_reconciliations_total",
                    "Reconciliations, by kind and result.",
                ),
                &["kind", "result"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "innkeeper_operator_reconciliation_duration_seconds",
                    "How long reconciliations take, by kind.",
                )
                .buckets(SECONDS.to_vec()),
                &["kind"],
            )?,
            objects: IntGaugeVec::new(
                Opts::new(
                    "innkeeper_operator_objects",
                    "Objects that the operator looks after, by kind and state.",
                ),
                &["kind", "state"],
            )?,
            admin_calls: IntCounterVec::new(
                Opts::new(
                    "innkeeper_operator_kafka_admin_calls_total",
                    "Calls of Kafka's admin API, by call and result.",
                ),
                &["call", "result"],
            )?,
            drift: IntCounter::new(
                "innkeeper_operator_topic_drift_repaired_total",
                "Topics that someone else had changed and that were put back.",
            )?,
            leader: IntGauge::new(
                "innkeeper_operator_leader",
                "1 while this replica of the operator is the one that works.",
            )?,
            waiting: IntGauge::new(
                "innkeeper_operator_platforms_awaiting_defaults",
                "Platforms that wait until others are ready with new defaults of the installation.",
            )?,
            certificate_ends: IntGaugeVec::new(
                Opts::new(
                    "innkeeper_operator_certificate_expiry_timestamp_seconds",
                    "When the certificates end that Kafka brokers show the operator, and its own for them, as Unix time; 0 if there is none, or none was seen yet.",
                ),
                &["brokers", "certificate"],
            )?,
        };
        metrics.register()?;
        metrics.begin_at_zero();
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        self.registry
            .register(Box::new(self.reconciliations.clone()))?;
        self.registry.register(Box::new(self.durations.clone()))?;
        self.registry.register(Box::new(self.objects.clone()))?;
        self.registry.register(Box::new(self.admin_calls.clone()))?;
        self.registry.register(Box::new(self.drift.clone()))?;
        self.registry.register(Box::new(self.leader.clone()))?;
        self.registry.register(Box::new(self.waiting.clone()))?;
        self.registry
            .register(Box::new(self.certificate_ends.clone()))
    }

    fn begin_at_zero(&self) {
        for kind in kinds::ours().map(|it| &*it.resource.kind) {
            self.durations.with_label_values(&[kind]);
            let results = Class::ALL.map(Class::name);
            for result in results.into_iter().chain([FINISHED]) {
                self.reconciliations.with_label_values(&[kind, result]);
            }
            for state in State::ALL {
                self.objects.with_label_values(&[kind, state.name()]);
            }
        }
        for call in AdminCall::ALL {
            for result in ["ok", "failed"] {
                self.admin_calls.with_label_values(&[call.name(), result]);
            }
        }
    }

    /// Counts a reconciliation, which failed with a class of error or finished.
    pub(crate) fn count_reconciliation(&self, kind: &str, failed: Option<Class>, took: Duration) {
        let result = failed.map_or(FINISHED, Class::name);
        self.reconciliations
            .with_label_values(&[kind, result])
            .inc();
        self.durations
            .with_label_values(&[kind])
            .observe(took.as_secs_f64());
    }

    /// Sets how many objects of a kind are in a state.
    pub(crate) fn set_objects(&self, kind: &str, state: State, count: usize) {
        self.objects
            .with_label_values(&[kind, state.name()])
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a call of Kafka's admin API.
    pub(crate) fn count_call(&self, call: AdminCall, succeeded: bool) {
        let result = if succeeded { "ok" } else { "failed" };
        self.admin_calls
            .with_label_values(&[call.name(), result])
            .inc();
    }

    /// Counts a topic that somebody had changed and that was restored.
    pub(crate) fn count_repaired_drift(&self) {
        self.drift.inc();
    }

    /// Sets whether this replica is the leader.
    pub(crate) fn set_leader(&self, leader: bool) {
        self.leader.set(i64::from(leader));
    }

    /// Sets how many platforms wait for new defaults.
    pub(crate) fn set_waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets when a certificate ends, in seconds since 1970, if that is known.
    pub(crate) fn set_certificate_end(&self, brokers: &str, certificate: &str, end: Option<i64>) {
        let gauge = self
            .certificate_ends
            .with_label_values(&[brokers, certificate]);
        if let Some(end) = end {
            gauge.set(end);
        }
    }

    /// All metrics in Prometheus' text format.
    pub(crate) fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_from_the_start() {
        let text = Metrics::registered().unwrap().text().unwrap();
        for series in [
            r#"innkeeper_operator_reconciliations_total{kind="EventTopic",result="conflict"} 0"#,
            r#"innkeeper_operator_reconciliation_duration_seconds_count{kind="DomainService"} 0"#,
            r#"innkeeper_operator_objects{kind="BookingPlatform",state="stalled"} 0"#,
            r#"innkeeper_operator_kafka_admin_calls_total{call="alter_configs",result="failed"} 0"#,
            "innkeeper_operator_topic_drift_repaired_total 0",
            "innkeeper_operator_leader 0",
            "innkeeper_operator_platforms_awaiting_defaults 0",
        ] {
            assert!(text.contains(series), "{series} is missing in\n{text}");
        }
    }
}
