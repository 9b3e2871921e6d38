//! The answer to `GET /`: links to the platform's resources.

use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use innkeeper_contracts::settings::Route;
use serde_json::{Map, Value, json};

/// The methods that the index allows.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET,HEAD");

/// Links to the platform's resources, as a HAL document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Index(Bytes);

impl Index {
    /// The index of some routes: the first path of each service, under the name of its last
    /// segment.
    pub fn of(routes: &[Route]) -> Self {
        let own = ("self".to_owned(), json!({ "href": "/" }));
        let paths = routes.iter().filter_map(|route| route.paths.first());
        let links: Map<String, Value> = std::iter::once(own)
            .chain(paths.map(|path| link(path)))
            .collect();
        Self(json!({ "_links": links }).to_string().into())
    }

    /// Answers a request with this method.
    pub fn answer(&self, method: &Method) -> Response {
        if *method != Method::GET && *method != Method::HEAD {
            return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, ALLOWED)]).into_response();
        }
        let media_type = HeaderValue::from_static("application/hal+json");
        ([(CONTENT_TYPE, media_type)], self.0.clone()).into_response()
    }
}

fn link(path: &str) -> (String, Value) {
    let name = path.rsplit('/').find(|segment| !segment.is_empty());
    (name.unwrap_or(path).to_owned(), json!({ "href": path }))
}
