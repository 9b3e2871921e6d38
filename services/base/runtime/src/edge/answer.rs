//! Completes answers that no handler gave: the router's own 404 and 405, and refusals of
//! extractors.

use axum::body::{Body, to_bytes};
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::content::ACCEPT_PATCH;
use crate::problem::Problem;

/// The longest text of a refusal that is shown, in bytes.
const MAX_TEXT_BYTES: usize = 4096;

/// The answer as the client gets it: a refusal in plain text becomes a problem, and `OPTIONS` lists
/// the allowed methods.
pub async fn complete(method: &Method, path: &str, response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    if *method == Method::OPTIONS && (status == StatusCode::METHOD_NOT_ALLOWED || path == "*") {
        return allowed(response);
    }
    if is_bare(response.headers()) {
        return explain(path, response).await;
    }
    response
}

/// The answer to `OPTIONS`: what the 405 says of the methods that are allowed.
fn allowed(mut response: Response) -> Response {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    for name in [ALLOW, ACCEPT_PATCH] {
        if let Some(value) = response.headers_mut().remove(&name) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// Whether an answer has no body but plain text.
fn is_bare(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_none_or(|media_type| media_type.as_bytes().starts_with(b"text/plain"))
}

async fn explain(path: &str, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let problem = Problem::of(parts.status);
    let problem = match parts.status {
        StatusCode::NOT_FOUND => problem.detail(format!("there is nothing at {path}")),
        status if status.is_client_error() => match read_text(body).await {
            Some(text) => problem.detail(text),
            None => problem,
        },
        _ => problem,
    };
    let mut explained = problem.into_response();
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    explained.headers_mut().extend(parts.headers);
    explained
}

async fn read_text(body: Body) -> Option<String> {
    let bytes = to_bytes(body, MAX_TEXT_BYTES).await.ok()?;
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    (!text.is_empty()).then_some(text)
}
