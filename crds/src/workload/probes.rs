//! How Kubernetes finds out whether a pod works.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// The probes of a pod; a probe that is left out asks the admin API.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.liveness) || !has(self.liveness.successThreshold) || self.liveness.successThreshold == 1", "successThreshold of the liveness probe must be 1; leave it out"))]
#[x_kube(validation = ("!has(self.startup) || !has(self.startup.successThreshold) || self.startup.successThreshold == 1", "successThreshold of the startup probe must be 1; leave it out"))]
#[x_kube(validation = ("!has(self.readiness) || !has(self.readiness.terminationGracePeriodSeconds)", "a readiness probe ends no pod: leave out its terminationGracePeriodSeconds"))]
pub struct Probes {
    /// A pod that fails it is restarted.
    pub liveness: Option<Probe>,
    /// A pod that fails it gets no requests.
    pub readiness: Option<Probe>,
    /// The other probes begin once it has succeeded.
    pub startup: Option<Probe>,
}

/// One probe: what is asked (the admin API when left out), and when.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("[has(self.httpGet), has(self.tcpSocket), has(self.exec)].filter(x, x).size() <= 1", "say at most one of httpGet, tcpSocket and exec"))]
#[x_kube(validation = crate::rules::AN_ATTEMPT_ENDS_IN_TIME)]
pub struct Probe {
    /// An HTTP request that must be answered with 2xx or 3xx.
    pub http_get: Option<HttpGet>,
    /// A TCP connection that must be accepted.
    pub tcp_socket: Option<TcpSocket>,
    /// A command in the container that must end with 0.
    pub exec: Option<Exec>,
    /// Seconds from the container's start to the first attempt.
    #[schemars(range(min = 0, max = 3600))]
    pub initial_delay_seconds: Option<u32>,
    /// Seconds from one attempt to the next.
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: Option<u32>,
    /// Seconds until an attempt counts as failed.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: Option<u32>,
    /// Successes in a row after a failure until the pod counts as well again.
    #[schemars(range(min = 1, max = 100))]
    pub success_threshold: Option<u32>,
    /// Failures in a row until the probe has failed.
    #[schemars(range(min = 1, max = 1000))]
    pub failure_threshold: Option<u32>,
    /// Seconds that a pod which this probe ends has to finish; the pod's own when left out.
    #[schemars(range(min = 1, max = 3600))]
    pub termination_grace_period_seconds: Option<u32>,
}

/// An HTTP GET request to the pod; 2xx and 3xx count as success.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpGet {
    /// Path of the request, with a query if there is one.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^/"))]
    pub path: String,
    /// Port of the container: 8080 is the business API, 9090 the admin API.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
}

/// A TCP connection to the pod; it counts as success once it is accepted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpSocket {
    /// Port of the container.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: u16,
}

/// A command in the container.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exec {
    /// The program and its arguments; no shell.
    #[schemars(length(min = 1, max = 32), inner(length(max = 1024)))]
    pub command: Vec<String>,
}
