//! Every metric of a service: its name, meaning and labels.

/// The definition of a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its name, which begins with `innkeeper_` and ends with the unit.
    pub name: &'static str,
    /// What it counts or measures, as Prometheus shows it.
    pub help: &'static str,
    /// Its labels besides `platform` and `service`.
    pub labels: &'static [&'static str],
}

/// Requests that were answered.
pub const HTTP_REQUESTS: Metric = Metric {
    name: "innkeeper_http_requests_total",
    help: "HTTP requests that were answered.",
    labels: &["method", "route", "status"],
};

/// Time from the head of a request to the head of its answer, in seconds.
pub const HTTP_REQUEST_SECONDS: Metric = Metric {
    name: "innkeeper_http_request_duration_seconds",
    help: "Time from the head of a request to the head of its answer.",
    labels: &["method", "route", "status"],
};

/// Events that the relay published from the outbox to the log.
pub const EVENTS_PUBLISHED: Metric = Metric {
    name: "innkeeper_events_published_total",
    help: "Events that were taken from the outbox to the log.",
    labels: &[],
};

/// Rounds of the relay that failed.
pub const RELAY_FAILURES: Metric = Metric {
    name: "innkeeper_relay_failures_total",
    help: "Rounds of the relay that failed, for all or some of their events, and were tried again.",
    labels: &[],
};

/// Events that the log refused for good.
pub const EVENTS_REFUSED: Metric = Metric {
    name: "innkeeper_events_refused_total",
    help: "Events that the log refused for good, and that were parked.",
    labels: &[],
};

/// Events that are parked.
pub const EVENTS_PARKED: Metric = Metric {
    name: "innkeeper_parked_events",
    help: "Events that the log refused and that wait, with their sagas, to be replayed or discarded.",
    labels: &[],
};

/// Records that were consumed, by outcome.
pub const EVENTS_CONSUMED: Metric = Metric {
    name: "innkeeper_events_consumed_total",
    help: "Records that were consumed: with an effect, with none, again, or as a dead letter.",
    labels: &["outcome"],
};

/// Records that retention deleted before they were read.
pub const EVENTS_OVERTAKEN: Metric = Metric {
    name: "innkeeper_events_overtaken_total",
    help: "Records that retention deleted before this service had read them.",
    labels: &[],
};

/// Records that could not be handled, by kind.
pub const DEAD_LETTERS: Metric = Metric {
    name: "innkeeper_dead_letters",
    help: "Records that could not be handled and wait to be replayed or discarded. Every instance of a service shows those of all.",
    labels: &["kind"],
};

/// Whether connections to the database are encrypted.
pub const DATABASE_TLS: Metric = Metric {
    name: "innkeeper_database_tls",
    help: "1 while the latest connection to the database is encrypted, else 0.",
    labels: &[],
};

/// Whether connections to Kafka are encrypted.
pub const KAFKA_TLS: Metric = Metric {
    name: "innkeeper_kafka_tls",
    help: "1 while connections to Kafka are encrypted, else 0.",
    labels: &[],
};

/// When certificates end, as a Unix time in seconds.
pub const CERTIFICATE_ENDS: Metric = Metric {
    name: "innkeeper_certificate_expiry_timestamp_seconds",
    help: "When certificates end, those of the database and Kafka and our own for them; 0 if there is none.",
    labels: &["certificate"],
};

/// Rows that a list has left out because this release cannot read them.
pub const ROWS_UNREADABLE: Metric = Metric {
    name: "innkeeper_rows_unreadable_total",
    help: "Rows that were left out of lists because this release cannot read them.",
    labels: &[],
};

/// Records that wait to be handled.
pub const CONSUMER_LAG: Metric = Metric {
    name: "innkeeper_consumer_lag_records",
    help: "Records of this service's partitions that it has not yet handled.",
    labels: &[],
};

/// Bookings that ended although they had been delivered.
pub const BOOKINGS_CANCELLED_AFTER_DELIVERY: Metric = Metric {
    name: "innkeeper_bookings_cancelled_after_delivery_total",
    help: "Bookings that were cancelled or had expired before it was known that they were delivered: the money was given back.",
    labels: &[],
};
