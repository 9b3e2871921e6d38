//! The HTTP resource of a component, in HAL form: a list in keyset pages, items with links and an
//! `ETag`, and POST and PATCH where the component takes them.

mod hal;
mod query;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get, patch, post};
use futures::FutureExt;
use innkeeper_contracts::pod::IDEMPOTENCY_KEY_HEADER;
use innkeeper_contracts::{ServiceSettings, Words};
use innkeeper_kit::json::Object;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::store::{Query, Row, Store, StoreError, StoredAnswer};
use innkeeper_kit::{Entity, Failure, Rejection, contradiction};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

pub use hal::MEDIA_TYPE;

use crate::context::Context;
use crate::json::ObjectBody;
use crate::lifecycle::Lifecycle;
use crate::problem::{self, Problem};
use crate::request::RequestContext;
use query::Page;

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// A POST.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The body of the request.
    pub body: Object,
    /// The idempotency key under which the answer is kept, if the client sent one.
    pub key: Option<String>,
    /// Trace, id and deadline of the request.
    pub request: RequestContext,
}

/// A PATCH.
#[derive(Clone, Debug)]
pub struct Change {
    /// Public id of the row.
    pub id: i64,
    /// The body of the request.
    pub body: Object,
    /// The version in `If-Match`; `None` if any will do.
    pub if_match: Option<i64>,
    /// The cause of the events that follow.
    pub cause: Cause,
}

impl Change {
    /// Refuses a PATCH whose `If-Match` is not the row's version, or whose fields contradict the
    /// row.
    pub fn check<S: innkeeper_kit::State>(
        &self,
        words: &Words,
        row: &Entity<S>,
    ) -> Result<(), Rejection> {
        if self.if_match.is_some_and(|seen| seen != row.version) {
            return Err(Rejection::PreconditionFailed);
        }
        contradiction::check(words, &self.body, row)
    }
}

/// A row as clients see it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Public id of the row.
    pub id: i64,
    /// Version of the row, which becomes the `ETag`.
    pub version: i64,
    /// The fields, in the platform's words.
    pub fields: Map<String, Value>,
}

/// What a component implements to be served as a resource.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// A row as clients see it; `None` for a tombstone.
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure>;

    /// Executes a POST. An idempotency key replays its answer. It is only called if
    /// [`Methods::create`] is set.
    async fn create(&self, _creation: Creation) -> Result<StoredAnswer, Failure> {
        Err(Rejection::NotFound.into())
    }

    /// Executes a PATCH. It is only called if [`Methods::change`] is set.
    async fn change(&self, _change: Change) -> Result<Item, Failure> {
        Err(Rejection::NotFound.into())
    }
}

/// Which methods a resource takes besides GET.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Methods {
    /// Whether it takes POST.
    pub create: bool,
    /// Whether it takes PATCH.
    pub change: bool,
}

/// Builds the links of a resource.
#[derive(Clone, Debug)]
pub struct Links {
    path: String,
}

impl Links {
    /// The links of the resource at a path.
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The body of an item: its fields and a link to itself.
    pub fn item(&self, item: Item) -> Value {
        hal::item(&self.path, item)
    }
}

/// The routes of a resource, under the path and aliases of its service.
pub fn router(context: &Context, methods: Methods, resource: Arc<dyn Resource>) -> Router {
    let settings = &context.settings;
    let path = settings.path.clone();
    let shared = Shared {
        path: Arc::from(path.as_str()),
        store: Arc::clone(&context.store),
        tasks: context.tasks.clone(),
        resource,
    };
    let mut list: MethodRouter<Shared> = get(list_items);
    let mut one: MethodRouter<Shared> = get(show_item);
    if methods.create {
        list = list.post(create_item);
    }
    if methods.change {
        one = one.patch(change_item);
    }
    let mut router = Router::new()
        .route(&format!("{path}/{{id}}"), one)
        .route(&path, list);
    for (alias, handler) in alias_routes(settings, methods) {
        router = router.route(&alias, handler);
    }
    router.with_state(shared)
}

fn alias_routes(
    settings: &ServiceSettings,
    methods: Methods,
) -> Vec<(String, MethodRouter<Shared>)> {
    let aliases = &settings.aliases;
    let create = aliases
        .create
        .clone()
        .filter(|_| methods.create)
        .map(|alias| (alias, post(create_item)));
    let list = aliases.list.clone().map(|alias| (alias, get(list_items)));
    let update = aliases
        .update
        .clone()
        .filter(|_| methods.change)
        .map(|alias| (alias, patch(change_named_item)));
    [create, list, update].into_iter().flatten().collect()
}

#[derive(Clone)]
struct Shared {
    path: Arc<str>,
    store: Arc<dyn Store>,
    tasks: Lifecycle,
    resource: Arc<dyn Resource>,
}

async fn list_items(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
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
    let mut response = hal::response(StatusCode::OK, &body);
    response.extensions_mut().insert(LeftOut(left_out));
    Ok(response)
}

/// A response extension: how many rows this release cannot read and has left out of a list.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut(pub u64);

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
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = shared.store.load_by_id(public_id(&id)?).await?;
    let item = row
        .as_ref()
        .map(|row| shared.resource.show(row))
        .transpose()
        .map_err(refused)?;
    let item = item
        .flatten()
        .ok_or_else(|| Problem::from(Rejection::NotFound))?;
    Ok(item_response(&shared.path, item))
}

async fn create_item(
    State(shared): State<Shared>,
    request: RequestContext,
    key: KeyHeader,
    body: ObjectBody,
) -> Result<Response, Problem> {
    let key = idempotency_key(key.0.as_ref())?;
    let creation = Creation {
        body: body.0,
        key: key.map(|sent| request.principal.scoped_key(sent)),
        request,
    };
    let answer = create_to_the_end(&shared, creation).await;
    Ok(stored_response(&shared.path, answer.map_err(refused)?))
}

/// Executes a POST in a task of its own: what it has begun is finished although the client hangs up
/// in the middle.
async fn create_to_the_end(shared: &Shared, creation: Creation) -> Result<StoredAnswer, Failure> {
    let resource = Arc::clone(&shared.resource);
    let (reply, answer) = oneshot::channel();
    shared.tasks.spawn("creation", async move {
        let creating = AssertUnwindSafe(resource.create(creation)).catch_unwind();
        // Without a receiver the client has gone.
        let _ = reply.send(creating.await);
    });
    match answer.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Err(StoreError::Closed.into()),
    }
}

async fn change_item(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: RequestContext,
    headers: HeaderMap,
    body: ObjectBody,
) -> Result<Response, Problem> {
    let id = public_id(&id)?;
    apply_change(&shared, id, request, &headers, body.0).await
}

async fn change_named_item(
    State(shared): State<Shared>,
    request: RequestContext,
    headers: HeaderMap,
    body: ObjectBody,
) -> Result<Response, Problem> {
    let id = body.0.get("id").and_then(|id| id.integer().ok());
    let id =
        id.ok_or_else(|| Problem::from(Rejection::invalid("/id", "must be the id of an item")))?;
    apply_change(&shared, id, request, &headers, body.0).await
}

async fn apply_change(
    shared: &Shared,
    id: i64,
    request: RequestContext,
    headers: &HeaderMap,
    body: Object,
) -> Result<Response, Problem> {
    let if_match = if_match(headers)?;
    let cause = Cause {
        event_id: None,
        traceparent: Some(request.traceparent),
    };
    let item = shared
        .resource
        .change(Change {
            id,
            body,
            if_match,
            cause,
        })
        .await
        .map_err(refused)?;
    Ok(item_response(&shared.path, item))
}

fn item_response(path: &str, item: Item) -> Response {
    let etag = format!("\"{}\"", item.version);
    let mut response = hal::response(StatusCode::OK, &hal::item(path, item));
    response.headers_mut().insert(
        ETAG,
        HeaderValue::from_str(&etag).expect("a number in quotes is ASCII"),
    );
    response
}

/// The answer to a POST, new or replayed.
fn stored_response(path: &str, answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = if status.is_success() {
        MEDIA_TYPE
    } else {
        problem::MEDIA_TYPE
    };
    let location = answer.location_id.map(|id| format!("{path}/{id}"));
    let mut response = hal::raw_response(status, media_type, answer.body);
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The public id in a path; 404 if it is not a number.
fn public_id(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::from(Rejection::NotFound))
}

/// The value of `Idempotency-Key`, if it was sent.
struct KeyHeader(Option<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(IDEMPOTENCY_KEY_HEADER).cloned()))
    }
}

fn idempotency_key(header: Option<&HeaderValue>) -> Result<Option<&str>, Problem> {
    let Some(key) = header else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let detail =
            format!("Idempotency-Key must have 1 to {MAX_KEY_BYTES} printable ASCII characters");
        return Err(Problem::of(StatusCode::BAD_REQUEST).detail(detail));
    }
    Ok(Some(key))
}

/// The version in `If-Match` (RFC 9110, 13.1.1); `*` matches every version.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(tag) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    match tag.to_str().unwrap_or_default().trim() {
        "*" => Ok(None),
        tag => {
            let version = tag.trim_matches('"').parse().ok();
            version
                .map(Some)
                .ok_or_else(|| Problem::from(Rejection::PreconditionFailed))
        }
    }
}

/// The problem that answers a failure.
pub fn refused(failure: Failure) -> Problem {
    match failure {
        Failure::Rejected(rejection) => rejection.into(),
        Failure::Store(error) => error.into(),
    }
}
