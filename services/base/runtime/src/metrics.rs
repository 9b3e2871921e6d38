//! The metrics of one service, in a registry of its own.

pub mod names;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use names::Metric;

/// Upper bounds of the duration buckets, in seconds.
const DURATION_BUCKETS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The metrics of one service. Clones share them; requests make many, so that it is one pointer.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    series: Series,
    http_requests: IntCounterVec,
    http_request_seconds: HistogramVec,
    rows_unreadable: IntCounter,
}

impl Metrics {
    /// The metrics of a service. All of them have the labels `platform` and `service`.
    pub fn new(platform: &str, service: &str) -> Self {
        let labels = [("platform", platform), ("service", service)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let series = Series {
            registry: Registry::new(),
            labels: labels.into(),
        };
        Self(Arc::new(Shared {
            http_requests: series.counters(&names::HTTP_REQUESTS),
            http_request_seconds: series.durations(&names::HTTP_REQUEST_SECONDS),
            rows_unreadable: series
                .counters(&names::ROWS_UNREADABLE)
                .with_label_values::<&str>(&[]),
            series,
        }))
    }

    /// The counters of a metric. Call `with_label_values` at start-up, so that each series exists
    /// from then on.
    pub fn counters(&self, metric: &Metric) -> IntCounterVec {
        self.0.series.counters(metric)
    }

    /// The gauges of a metric. Call `with_label_values` at start-up, so that each series exists
    /// from then on.
    pub fn gauges(&self, metric: &Metric) -> IntGaugeVec {
        self.0.series.gauges(metric)
    }

    /// The histograms of a metric, in seconds. Call `with_label_values` at start-up, so that each
    /// series exists from then on.
    pub fn durations(&self, metric: &Metric) -> HistogramVec {
        self.0.series.durations(metric)
    }

    /// Creates the series of a route before its first request.
    pub fn expect_route(&self, method: &Method, route: &str, statuses: &[StatusCode]) {
        for status in statuses {
            let labels = [method_label(method), route, status.as_str()];
            self.0.http_requests.with_label_values(&labels);
            self.0.http_request_seconds.with_label_values(&labels);
        }
    }

    /// Counts an answered request and records its duration.
    pub(crate) fn count_answer(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let labels = [method_label(method), route, status.as_str()];
        self.0.http_requests.with_label_values(&labels).inc();
        self.0
            .http_request_seconds
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
    }

    /// Counts rows that a list has left out.
    pub(crate) fn count_left_out(&self, rows: u64) {
        self.0.rows_unreadable.inc_by(rows);
    }

    /// All metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.0.series.registry.gather())
            .expect("gathered metrics are well formed")
    }
}

/// The label of a method. Unknown methods share one label, so that clients cannot create series at
/// will.
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

/// Registers metrics that all have the same constant labels.
#[derive(Debug)]
struct Series {
    registry: Registry,
    labels: HashMap<String, String>,
}

impl Series {
    fn counters(&self, metric: &Metric) -> IntCounterVec {
        self.registered(IntCounterVec::new(self.options(metric), metric.labels))
    }

    fn gauges(&self, metric: &Metric) -> IntGaugeVec {
        self.registered(IntGaugeVec::new(self.options(metric), metric.labels))
    }

    fn durations(&self, metric: &Metric) -> HistogramVec {
        let options = HistogramOpts::from(self.options(metric)).buckets(DURATION_BUCKETS.to_vec());
        self.registered(HistogramVec::new(options, metric.labels))
    }

    fn options(&self, metric: &Metric) -> Opts {
        Opts::new(metric.name, metric.help).const_labels(self.labels.clone())
    }

    fn registered<C: Collector + Clone + 'static>(&self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect("names and labels of a metric are well formed");
        self.registry
            .register(Box::new(collector.clone()))
            .expect("each metric is registered once");
        collector
    }
}
