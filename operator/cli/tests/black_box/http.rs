//! An HTTP client without a connection pool, so that each answer comes from the process that runs
//! now.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a request may take.
const WITHIN: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// There was no answer: the service is not running, or died meanwhile.
#[derive(Debug)]
pub struct Broken;

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON in {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that the answer is a problem with this status.
    pub fn is_problem(&self, status: u16) {
        let body = self.json();
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, "application/problem+json"),
            "{body}"
        );
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string(), "{body}");
    }

    /// The faults of a refused request: the JSON pointer and the detail of each.
    pub fn faults(&self) -> Vec<(String, String)> {
        self.is_problem(422);
        let body = self.json();
        let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
        let faults = body["errors"].as_array().unwrap().iter();
        faults
            .map(|fault| (text(fault, "pointer"), text(fault, "detail")))
            .collect()
    }

    /// The JSON pointers of the faults of a refused request.
    pub fn pointers(&self) -> Vec<String> {
        let faults = self.faults().into_iter();
        faults.map(|(pointer, _)| pointer).collect()
    }
}

pub fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).unwrap()
}

pub fn post(path: &str, body: &Value) -> Request<String> {
    post_text(path, &body.to_string())
}

/// A POST of a body as text. A `Value` would keep neither the literals of numbers nor repeated
/// members.
pub fn post_text(path: &str, body: &str) -> Request<String> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json");
    request.body(body.to_owned()).unwrap()
}

pub fn patch(path: &str, body: &Value) -> Request<String> {
    patch_text(path, &body.to_string())
}

/// A PATCH of a body as text.
pub fn patch_text(path: &str, body: &str) -> Request<String> {
    let request = Request::patch(path).header(CONTENT_TYPE, "application/json");
    request.body(body.to_owned()).unwrap()
}

/// The request with one more header.
pub fn with(mut request: Request<String>, name: &'static str, value: &str) -> Request<String> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// Sends a request to a port of this machine.
pub async fn send(port: u16, request: Request<String>) -> Result<Answer, Broken> {
    let answered = tokio::time::timeout(WITHIN, exchange(port, request)).await;
    answered.unwrap_or(Err(Broken))
}

async fn exchange(port: u16, request: Request<String>) -> Result<Answer, Broken> {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|_| Broken)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Broken)?;
    let request = with(request, "host", "localhost");
    let answered = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(|_| Broken)?
            .into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text,
        })
    };
    tokio::pin!(answered);
    tokio::select! {
        answer = &mut answered => answer,
        _ = connection => answered.await,
    }
}
