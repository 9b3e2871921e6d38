//! GET: a page of a list, or one item.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use innkeeper_kit::Rejection;
use innkeeper_kit::store::{Query, Row, Store};

use super::query::{self, Page};
use super::tag::{Precondition, Preconditions, Tag};
use super::{Item, PublicId, Resource, hal, refused};
use crate::context::Context;
use crate::edge::LeftOut;
use crate::problem::{self, Problem};

#[derive(Clone)]
struct Shared {
    path: Arc<str>,
    store: Arc<dyn Store>,
    resource: Arc<dyn Resource>,
}

impl Shared {
    fn of(context: &Context, resource: Arc<dyn Resource>) -> Self {
        Self {
            path: context.settings.path.as_str().into(),
            store: Arc::clone(&context.store),
            resource,
        }
    }
}

/// Handles GET of the list.
pub fn list(context: &Context, resource: Arc<dyn Resource>) -> MethodRouter {
    get(list_items).with_state(Shared::of(context, resource))
}

/// Handles GET of an item.
pub fn item(context: &Context, resource: Arc<dyn Resource>) -> MethodRouter {
    get(show_item).with_state(Shared::of(context, resource))
}

async fn list_items(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::parse(query.as_deref().unwrap_or_default())?;
    // One more than asked for tells whether there is a next page.
    let query = Query::page(page.after, page.size + 1);
    let mut rows = shared.store.list(query).await?;
    let more = rows.len() > page.size as usize;
    rows.truncate(page.size as usize);
    let last = rows.last().filter(|_| more).and_then(|row| row.id);
    let (items, left_out) = readable(&*shared.resource, &rows);
    let body = hal::page(&shared.path, page, items, last);
    let mut response = conditional(&headers, body.to_string())?;
    response.extensions_mut().insert(LeftOut(left_out));
    Ok(response)
}

/// The items of a page, without those that cannot be read, which are counted.
fn readable(resource: &dyn Resource, rows: &[Row]) -> (Vec<Item>, u64) {
    let (mut items, mut left_out) = (Vec::new(), 0);
    for row in rows {
        match resource.show(row) {
            Ok(item) => items.extend(item),
            Err(error) => {
                left_out += 1;
                let (id, error) = (row.id, problem::causes(&error));
                tracing::error!(id, error, "a row cannot be read, and is left out of a list");
            }
        }
    }
    (items, left_out)
}

async fn show_item(
    State(shared): State<Shared>,
    PublicId(id): PublicId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = shared.store.load_by_id(id).await?;
    let item = row
        .as_ref()
        .map(|row| shared.resource.show(row))
        .transpose()
        .map_err(refused)?;
    let item = item
        .flatten()
        .ok_or_else(|| Problem::from(Rejection::NotFound))?;
    query::check_none(query.as_deref())?;
    conditional(&headers, hal::text(hal::item(&shared.path, item)))
}

/// The representation, a HAL document, unless the preconditions of the request do not hold for it:
/// then 304 if the client has it already, else 412.
pub fn conditional(headers: &HeaderMap, body: String) -> Result<Response, Problem> {
    let tag = Tag::of(body.as_bytes());
    match Preconditions::of(headers).judge(&tag) {
        Precondition::Holds => Ok(tag.on(hal::response(StatusCode::OK, body))),
        Precondition::Matches => Ok(tag.on(StatusCode::NOT_MODIFIED.into_response())),
        Precondition::DoesNotMatch => Err(Rejection::PreconditionFailed.into()),
    }
}
