//! HAL bodies (<https://datatracker.ietf.org/doc/html/draft-kelly-json-hal-11>): `_links` and
//! `_embedded`, with relative links.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Item;
use super::query::Page;

/// The media type of HAL bodies.
pub const MEDIA_TYPE: &str = "application/hal+json";

/// An item with a link to itself.
pub fn item(path: &str, item: Item) -> Map<String, Value> {
    let mut fields = item.fields;
    fields.insert(
        "_links".to_owned(),
        json!({ "self": { "href": format!("{path}/{}", item.id) } }),
    );
    fields
}

/// A HAL document as text.
pub fn text(document: Map<String, Value>) -> String {
    Value::Object(document).to_string()
}

/// A page of a list. `last` is the id of its last row if there is a next page.
pub fn page(path: &str, page: Page, items: Vec<Item>, last: Option<i64>) -> Value {
    let mut links = json!({ "self": { "href": page.href(path) } });
    if let Some(after) = last {
        links["next"] = json!({ "href": Page { after, ..page }.href(path) });
    }
    let items: Vec<Value> = items
        .into_iter()
        .map(|row| item(path, row).into())
        .collect();
    json!({ "_embedded": { relation(path): items }, "_links": links })
}

/// The name of a list's items: the last segment of its path.
fn relation(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// An answer with this body and the media type of HAL.
pub fn response(status: StatusCode, body: String) -> Response {
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    (status, [(CONTENT_TYPE, media_type)], body).into_response()
}
