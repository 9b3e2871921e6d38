//! A plain HTTP client with a new connection and a deadline for each request.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;
use ureq::http::{HeaderMap, Request};

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
    exchange(method, url, body, headers).map_err(|error| error.to_string())
}

fn exchange(
    method: &str,
    url: &str,
    body: &Value,
    headers: &[(&str, &str)],
) -> Result<Answer, Box<dyn Error>> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let agent = Agent::config_builder()
        .timeout_global(Some(DEADLINE))
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_redirects(0)
        .proxy(None)
        .build();
    let agent = Agent::from(agent);
    let answer = if body.is_null() {
        agent.run(request.body(())?)?
    } else {
        let request = request.header(CONTENT_TYPE, "application/json");
        agent.run(request.body(body.to_string())?)?
    };
    let (head, mut body) = answer.into_parts();
    let body = body.read_to_vec()?;
    let as_text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_else(|_| as_text()),
    })
}
