//! Every metric of a service: its name, meaning and labels, in the one place that spells them.

/// A metric before it has a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its name, which begins with `innkeeper_` and ends with its unit.
    pub name: &'static str,
    /// What it counts or measures.
    pub help: &'static str,
    /// Its labels beside `platform` and `service`.
    pub labels: &'static [&'static str],
}

/// Requests that were answered.
pub const HTTP_REQUESTS: Metric = Metric {
    name: "innkeeper_http_requests_total",
    help: "HTTP requests that were answered.",
    labels: &["method", "route", "status"],
};

/// Time from a request's head to its answer's head.
pub const HTTP_REQUEST_SECONDS: Metric = Metric {
    name: "innkeeper_http_request_duration_seconds",
    help: "Time from the head of a request to the head of its answer.",
    labels: &["method", "route", "status"],
};
