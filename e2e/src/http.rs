//! A plain HTTP client with a new connection and a deadline for each request.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::site::site;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// Status code of the answer.
    pub status: u16,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// Body of the answer: JSON if it can be parsed, else a string.
    pub body: Value,
}

impl Answer {
    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as a text; empty if it is no string.
    pub fn text(&self) -> &str {
        self.body.as_str().unwrap_or_default()
    }
}

/// Sends a request with a JSON body, or without a body if it is null.
pub fn request(
    method: &str,
    url: &str,
    body: &Value,
    headers: &[(&str, &str)],
) -> Result<Answer, String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let content = if body.is_null() {
        Bytes::new()
    } else {
        request = request.header(CONTENT_TYPE, "application/json");
        Bytes::from(body.to_string())
    };
    let request = request.body(Full::new(content)).unwrap();
    let exchange = async { tokio::time::timeout(DEADLINE, send(request)).await };
    site()
        .wait(exchange)
        .unwrap_or_else(|_| Err(format!("no answer within {DEADLINE:?}")))
}

async fn send(request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build_http();
    let answer = client
        .request(request)
        .await
        .map_err(|error| format!("{error:?}"))?;
    let (head, body) = answer.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    let as_text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_else(|_| as_text()),
    })
}
