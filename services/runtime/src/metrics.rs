//! The metrics of one service: a registry that is a value, never a process global.

pub mod names;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use names::Metric;

/// Bounds of durations, in seconds.
const DURATION_BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The metrics of one service; clones are the same metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    http_requests: IntCounterVec,
    http_request_seconds: HistogramVec,
}

impl Metrics {
    /// The metrics of a service, all of which carry the labels `platform` and `service`.
    pub fn new(platform: &str, service: &str) -> Self {
        let labels = [("platform", platform), ("service", service)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let registry = Registry::new_custom(None, Some(labels.into()))
            .expect("a registry without a prefix is always made");
        Self {
            http_requests: counters_in(&registry, &names::HTTP_REQUESTS),
            http_request_seconds: durations_in(&registry, &names::HTTP_REQUEST_SECONDS),
            registry,
        }
    }

    /// Counters of a metric. A series exists once `with_label_values` was called for it: call it at the start.
    pub fn counters(&self, metric: &Metric) -> IntCounterVec {
        counters_in(&self.registry, metric)
    }

    /// Gauges of a metric. A series exists once `with_label_values` was called for it: call it at the start.
    pub fn gauges(&self, metric: &Metric) -> IntGaugeVec {
        let gauges = IntGaugeVec::new(options(metric), metric.labels)
            .expect("names and labels of a metric are well formed");
        registered(&self.registry, gauges)
    }

    /// Durations of a metric, in seconds. A series exists once `with_label_values` was called for it: call it at the start.
    pub fn durations(&self, metric: &Metric) -> HistogramVec {
        durations_in(&self.registry, metric)
    }

    /// Makes the series of a route exist before its first request.
    pub fn expect_route(&self, method: &Method, route: &str, statuses: &[StatusCode]) {
        for status in statuses {
            let labels = [method_label(method), route, status.as_str()];
            self.http_requests.with_label_values(&labels);
            self.http_request_seconds.with_label_values(&labels);
        }
    }

    /// Counts a request that was answered.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let labels = [method_label(method), route, status.as_str()];
        self.http_requests.with_label_values(&labels).inc();
        self.http_request_seconds
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("gathered metrics are well formed")
    }
}

/// The label of a method; methods that nobody knows share one, so that a client cannot make series at will.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn options(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn counters_in(registry: &Registry, metric: &Metric) -> IntCounterVec {
    let counters = IntCounterVec::new(options(metric), metric.labels)
        .expect("names and labels of a metric are well formed");
    registered(registry, counters)
}

fn durations_in(registry: &Registry, metric: &Metric) -> HistogramVec {
    let options = HistogramOpts::from(options(metric)).buckets(DURATION_BUCKETS.to_vec());
    let durations = HistogramVec::new(options, metric.labels)
        .expect("names and labels of a metric are well formed");
    registered(registry, durations)
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry
        .register(Box::new(collector.clone()))
        .expect("each metric is registered once");
    collector
}
