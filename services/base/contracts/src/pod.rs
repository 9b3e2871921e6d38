//! The contract between a service's process and whatever runs it: ports, paths and headers.

use std::time::Duration;

/// Port of a service's business API on a cluster.
pub const BUSINESS_PORT: u16 = 8080;
/// Port of a service's admin API on a cluster: probes, metrics, settings.
pub const ADMIN_PORT: u16 = 9090;

/// How long a pod serves on after it became unready, while its endpoint is removed everywhere. It
/// is longer than the services' HTTP client keeps idle connections, so that no caller sends on one
/// that is about to be closed.
pub const LEAVE_FOR: Duration = Duration::from_secs(5);

/// Path that answers 200 while the process can make progress.
pub const LIVEZ: &str = "/livez";
/// Path that answers 200 while the service wants traffic.
pub const READYZ: &str = "/readyz";
/// Path that answers 200 once start-up is over.
pub const STARTUPZ: &str = "/startupz";
/// What `/startupz` and `/readyz` say of a service that does nothing but start.
pub const STARTING: &str = "the service is starting";
/// What `/readyz` says of a service that has not begun to serve.
pub const NOT_SERVING: &str = "the service has not begun to serve";
/// Path of the metrics, in the Prometheus text format.
pub const METRICS: &str = "/metrics";
/// Path of the settings in force, as JSON. Of the user's own values it shows only the names and one
/// hash.
pub const SETTINGS: &str = "/settings";

/// Path of the dead letters of a service, with `/ID` and `/ID/replay` below it.
pub const DEAD_LETTERS: &str = "/dead-letters";
/// Path of the parked events of a service, with `/ID` and `/ID/replay` below it.
pub const PARKED_EVENTS: &str = "/parked-events";

/// Where a pod finds its settings file.
pub const SETTINGS_FILE: &str = "/etc/innkeeper/settings/settings.json";
/// Where a pod finds the user's configuration files.
pub const CONFIG_DIR: &str = "/etc/innkeeper/config";
/// File of a Secret's folder, and key of the Secret: the name of a user.
pub const USERNAME_FILE: &str = "username";
/// File of a Secret's folder, and key of the Secret: the user's password.
pub const PASSWORD_FILE: &str = "password";
/// File of a folder with a client certificate, and key of a Secret of the type kubernetes.io/tls:
/// the certificate, with those that lead to its authority.
pub const CERTIFICATE_FILE: &str = "tls.crt";
/// File of a folder with a client certificate, and key of a Secret of the type kubernetes.io/tls:
/// the certificate's private key.
pub const KEY_FILE: &str = "tls.key";

/// Where a pod finds the database Secret: the files `username` and `password`.
pub const DATABASE_SECRET_DIR: &str = "/etc/innkeeper/database";
/// Where a pod finds the certificates of the authorities that its database is trusted by.
pub const DATABASE_CA_FILE: &str = "/etc/innkeeper/database-ca/ca.crt";
/// Where a pod finds its client certificate for the database: the files `tls.crt` and `tls.key`.
pub const DATABASE_CLIENT_DIR: &str = "/etc/innkeeper/database-client";

/// Where a pod finds its Secret for Kafka: the files `username` and `password`.
pub const KAFKA_SECRET_DIR: &str = "/etc/innkeeper/kafka";
/// Where a pod finds the certificates of the authorities that its Kafka brokers are trusted by.
pub const KAFKA_CA_FILE: &str = "/etc/innkeeper/kafka-ca/ca.crt";
/// Where a pod finds its client certificate for Kafka: the files `tls.crt` and `tls.key`.
pub const KAFKA_CLIENT_DIR: &str = "/etc/innkeeper/kafka-client";

/// Prefix of the paths that only services may call; the gateway never routes it.
pub const INTERNAL_PREFIX: &str = "/_innkeeper";

/// How the names of headers begin that only services send to each other.
pub const INTERNAL_HEADERS: &str = "innkeeper-";
/// Header with the correlation id of the saga, in calls between services.
pub const CORRELATION_HEADER: &str = "innkeeper-correlation-id";
/// Header of a call: for whom it is made. The gateway removes it from the requests of clients.
pub const PRINCIPAL_HEADER: &str = "innkeeper-principal";
/// Header with the milliseconds that the caller will still wait for an answer.
pub const TIMEOUT_HEADER: &str = "innkeeper-timeout-ms";
/// Header with the W3C trace context.
pub const TRACEPARENT_HEADER: &str = "traceparent";
/// Header with the id of a request, the same in every service that the request passes.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header with the client's key that makes a POST repeatable.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
