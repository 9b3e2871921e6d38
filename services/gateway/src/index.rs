//! The answer to `GET /`: links to the platform's resources.

use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use innkeeper_contracts::settings::Route;
use innkeeper_runtime::problem::Problem;
use innkeeper_runtime::resource::{check_none, conditional};
use serde_json::{Map, Value, json};

/// The methods that the index allows.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET,HEAD");

/// Links to the platform's resources, as a HAL document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Index(String);

impl Index {
    /// The index of some routes: the first path of each service, under the name of its last
    /// segment.
    pub fn of(routes: &[Route]) -> Self {
        let own = ("self".to_owned(), json!({ "href": "/" }));
        let paths = routes.iter().filter_map(|route| route.paths.first());
        let links: Map<String, Value> = std::iter::once(own)
            .chain(paths.map(|path| link(path)))
            .collect();
        Self(json!({ "_links": links }).to_string())
    }

    /// Answers a request.
    pub fn answer(&self, request: &Request) -> Result<Response, Problem> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, ALLOWED)]).into_response());
        }
        check_none(request.uri().query())?;
        conditional(request.headers(), self.0.clone())
    }
}

fn link(path: &str) -> (String, Value) {
    let name = path.rsplit('/').find(|segment| !segment.is_empty());
    (name.unwrap_or(path).to_owned(), json!({ "href": path }))
}
