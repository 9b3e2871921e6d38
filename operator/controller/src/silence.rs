//! An API server that never answers, for tests of what must end nevertheless.

use std::future::pending;

use axum::Router;
use kube::Client;

/// A client of the silent API server.
pub(crate) fn silent() -> Client {
    Client::new(Router::new().fallback(pending::<()>), "default")
}
