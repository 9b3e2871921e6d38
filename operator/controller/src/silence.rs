//! An API server that never answers, for tests of what must end nevertheless.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use innkeeper_plan::ClusterDefaults;
use jiff::Timestamp;
use kube::Client;
use kube::runtime::events::Recorder;

use crate::context::{Context, Scope};
use crate::kafka::Brokers;
use crate::metrics::Metrics;
use crate::ownership::Ledger;

/// A client of the silent API server.
pub(crate) fn silent() -> Client {
    Client::new(Router::new().fallback(pending::<()>), "default")
}

/// A context with the silent API server.
pub(crate) fn context() -> Context {
    Context {
        client: silent(),
        recorder: Recorder::new(silent(), "innkeeper".into()),
        metrics: Metrics::registered().expect("the names of metrics are sound"),
        brokers: Brokers::default(),
        ledger: Ledger::default(),
        defaults: ClusterDefaults::default(),
        now: || Timestamp::UNIX_EPOCH,
        topic_resync: Duration::from_mins(2),
        scope: Scope::Cluster,
        own_namespace: None,
    }
}
