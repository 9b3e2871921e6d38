//! The contract between a service's process and what runs it: ports, paths, headers.

/// Port of a service's business API on a cluster.
pub const BUSINESS_PORT: u16 = 8080;
/// Port of a service's admin API on a cluster: probes, metrics, settings.
pub const ADMIN_PORT: u16 = 9090;

/// Answers 200 while the process can make progress.
pub const LIVEZ: &str = "/livez";
/// Answers 200 while the service wants traffic.
pub const READYZ: &str = "/readyz";
/// Answers 200 once start-up is over.
pub const STARTUPZ: &str = "/startupz";
/// Prometheus text format.
pub const METRICS: &str = "/metrics";
/// The settings in force, as JSON; of the user's own values only the names and the hash of all.
pub const SETTINGS: &str = "/settings";

/// Where a pod finds its settings file.
pub const SETTINGS_FILE: &str = "/etc/innkeeper/settings/settings.json";
/// Where a pod finds the user's configuration files.
pub const CONFIG_DIR: &str = "/etc/innkeeper/config";
/// Where a pod finds the database Secret: the files `username` and `password`.
pub const DATABASE_SECRET_DIR: &str = "/etc/innkeeper/database";

/// Prefix of the paths that services call among themselves; the gateway never routes it.
pub const INTERNAL_PREFIX: &str = "/_innkeeper";

/// Header with the correlation id of a saga, in calls between services.
pub const CORRELATION_HEADER: &str = "innkeeper-correlation-id";
/// Header with the milliseconds that the caller will still wait.
pub const TIMEOUT_HEADER: &str = "innkeeper-timeout-ms";
/// W3C trace context.
pub const TRACEPARENT_HEADER: &str = "traceparent";
/// Header that names one request across all services it passes.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header that makes a POST repeatable.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
