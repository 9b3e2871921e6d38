//! POST: a new item, under an idempotency key if the client sends one.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{FromRequestParts, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use futures::FutureExt;
use innkeeper_contracts::pod::IDEMPOTENCY_KEY_HEADER;
use innkeeper_kit::Failure;
use innkeeper_kit::json::Object;
use innkeeper_kit::store::{StoreError, StoredAnswer};
use tokio::sync::oneshot;

use super::tag::Tag;
use super::{Resource, hal, query, refused};
use crate::context::Context;
use crate::json::ObjectBody;
use crate::lifecycle::Lifecycle;
use crate::problem::{self, Problem};
use crate::request::RequestContext;

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// A POST request whose body was read.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The body of the request.
    pub body: Object,
    /// The idempotency key under which the answer is kept, if the client sent one.
    pub key: Option<String>,
    /// Trace, id and deadline of the request.
    pub request: RequestContext,
}

/// A resource that takes POST.
#[async_trait]
pub trait Create: Resource {
    /// Executes a POST. An idempotency key replays its answer.
    async fn create(&self, creation: Creation) -> Result<StoredAnswer, Failure>;
}

#[derive(Clone)]
struct Shared {
    path: Arc<str>,
    tasks: Lifecycle,
    resource: Arc<dyn Create>,
}

/// Handles POST of a new item.
pub fn create(context: &Context, resource: Arc<dyn Create>) -> MethodRouter {
    post(create_item).with_state(Shared {
        path: context.settings.path.as_str().into(),
        tasks: context.tasks.clone(),
        resource,
    })
}

async fn create_item(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    request: RequestContext,
    key: KeyHeader,
    body: ObjectBody,
) -> Result<Response, Problem> {
    query::check_none(query.as_deref())?;
    let key = key.text()?;
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

/// The answer to a POST, new or replayed. That of a success carries the tag of its body.
fn stored_response(path: &str, answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if status.is_success() {
        let tag = Tag::of(answer.body.as_bytes());
        tag.on(hal::response(status, answer.body))
    } else {
        let media_type = HeaderValue::from_static(problem::MEDIA_TYPE);
        (status, [(CONTENT_TYPE, media_type)], answer.body).into_response()
    };
    let location = answer.location_id.map(|id| format!("{path}/{id}"));
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The idempotency key, if one was sent.
struct KeyHeader(Option<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut lines = parts.headers.get_all(IDEMPOTENCY_KEY_HEADER).iter();
        let (key, more) = (lines.next(), lines.next());
        if more.is_some() {
            return Err(
                Problem::of(StatusCode::BAD_REQUEST).detail("Idempotency-Key is given twice")
            );
        }
        Ok(Self(key.cloned()))
    }
}

impl KeyHeader {
    fn text(&self) -> Result<Option<&str>, Problem> {
        let Some(key) = &self.0 else {
            return Ok(None);
        };
        let key = key.to_str().unwrap_or_default().trim();
        if (1..=MAX_KEY_BYTES).contains(&key.len()) {
            return Ok(Some(key));
        }
        let detail =
            format!("Idempotency-Key must have 1 to {MAX_KEY_BYTES} printable ASCII characters");
        Err(Problem::of(StatusCode::BAD_REQUEST).detail(detail))
    }
}
