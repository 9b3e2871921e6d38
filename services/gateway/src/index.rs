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
    /// segment. Links of one name are a list (HAL, 4.1.1).
    pub fn of(routes: &[Route]) -> Self {
        let mut links = Map::new();
        links.insert("self".to_owned(), json!({ "href": "/" }));
        for path in routes.iter().filter_map(|route| route.paths.first()) {
            let link = json!({ "href": path });
            match links.get_mut(relation(path)) {
                None => drop(links.insert(relation(path).to_owned(), link)),
                Some(Value::Array(several)) => several.push(link),
                Some(one) => *one = json!([one.take(), link]),
            }
        }
        Self(json!({ "_links": links }).to_string())
    }

    pub fn answer(&self, request: &Request) -> Result<Response, Problem> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, ALLOWED)]).into_response());
        }
        check_none(request.uri().query())?;
        conditional(request.headers(), self.0.clone())
    }
}

fn relation(path: &str) -> &str {
    let name = path.rsplit('/').find(|segment| !segment.is_empty());
    name.unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_one_name_are_a_list() {
        let route = |path: &str| Route {
            service: "any".to_owned(),
            paths: vec![path.to_owned()],
            address: String::new(),
            timeout_ms: 1,
        };
        let paths = ["/pays", "/v2/pays", "/rents", "/v3/pays"];
        let index: Value = serde_json::from_str(&Index::of(&paths.map(route)).0).unwrap();
        let expected = json!({
            "self": { "href": "/" },
            "pays": [{ "href": "/pays" }, { "href": "/v2/pays" }, { "href": "/v3/pays" }],
            "rents": { "href": "/rents" },
        });
        assert_eq!(index["_links"], expected);
    }
}
