//! Asks a service's pod on the port of its admin API.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::{BodyExt as _, Limited};
use innkeeper_contracts::pod::ADMIN_PORT;
use innkeeper_runtime::client::Client;
use serde_json::Value;
use tokio::time::timeout;

/// How long a pod may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Most bytes of an answer.
const MOST_BYTES: usize = 1024 * 1024;

/// The JSON with which the pod at an address answers, whatever its status; `None` if it does not,
/// as when the network lets nobody through but the kubelet.
pub(crate) async fn fetch(address: &str, path: &str) -> Option<Value> {
    timeout(ANSWER_WITHIN, ask(address, path)).await.ok()?
}

async fn ask(address: &str, path: &str) -> Option<Value> {
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let request = Request::get(format!("http://{host}:{ADMIN_PORT}{path}"));
    let request = request.body(Body::empty()).ok()?;
    let answer = Client::new().send(request).await.ok()?;
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect();
    serde_json::from_slice(&body.await.ok()?.to_bytes()).ok()
}
