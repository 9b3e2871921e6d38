//! PATCH: a command to an item, given by the label of the state that it leads to.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, patch};
use innkeeper_contracts::Field;
use innkeeper_kit::json::{Json, Object};
use innkeeper_kit::label::{self, Table};
use innkeeper_kit::repository::Decision;
use innkeeper_kit::request::found;
use innkeeper_kit::{Entity, Failure, Rejection, Repository, contradiction};

use super::presenter::Presenter;
use super::tag::{Precondition, Preconditions, Tag};
use super::{Item, PublicId, Resource, hal, query, refused};
use crate::content::{self, ACCEPT_PATCH, PATCHES};
use crate::json::ObjectBody;
use crate::problem::Problem;
use crate::request::RequestContext;

/// A PATCH request whose body was read.
#[derive(Clone, Debug)]
pub struct Change {
    /// Public id of the row.
    pub id: i64,
    /// The body of the request.
    pub body: Object,
    /// Whether the body is a merge patch (RFC 7396), of which nothing is ignored.
    pub is_merge_patch: bool,
    /// What the request demands of the row as it is shown.
    pub preconditions: Preconditions,
    /// For whom and with which trace the request is made.
    pub request: RequestContext,
}

impl Change {
    /// Carries out the command of a PATCH, and returns the row as it is then. `table` tells what a
    /// label leads to, and `walk` makes the rows on that path. Refuses a PATCH whose preconditions
    /// do not hold for the row as the presenter shows it, or whose fields contradict the row.
    pub async fn execute<S: innkeeper_kit::State>(
        self,
        repository: &Repository<S>,
        presenter: &Presenter,
        table: Table<S>,
        walk: impl Fn(&Entity<S>, &[S]) -> Vec<Entity<S>> + Send + 'static,
    ) -> Result<Entity<S>, Failure> {
        let presenter = presenter.clone();
        let (principal, cause) = (self.request.principal.clone(), self.request.cause());
        let execute = repository.execute(self.id, principal, cause, move |row| {
            let path = self.path(row, &presenter, table)?;
            Ok(if path.is_empty() {
                Decision::Keep
            } else {
                Decision::Become(walk(row, path))
            })
        });
        execute.await
    }

    /// The states that a PATCH leads the row through.
    fn path<S: innkeeper_kit::State>(
        &self,
        row: &Entity<S>,
        presenter: &Presenter,
        table: Table<S>,
    ) -> Result<&'static [S], Rejection> {
        if !self.preconditions.is_empty() {
            let tag = Tag::of(presenter.body(row).as_bytes());
            if self.preconditions.judge(&tag) != Precondition::Holds {
                return Err(Rejection::PreconditionFailed);
            }
        }
        let words = presenter.words();
        if self.is_merge_patch {
            let shown = presenter.representation(row);
            contradiction::check_merge_patch(words, &self.body, &shown)?;
            if found(words, &self.body, Field::Status).is_none() {
                return Ok(&[]);
            }
        }
        let asked = label::asked(words, &self.body, table)?;
        contradiction::check(words, &self.body, row)?;
        label::path_to(words, row.state, &asked, table)
    }
}

/// A resource that takes PATCH.
#[async_trait]
pub trait Update: Resource {
    /// Executes a PATCH, and returns the item as it is then.
    async fn update(&self, change: Change) -> Result<Item, Failure>;
}

#[derive(Clone)]
struct Shared {
    path: Arc<str>,
    resource: Arc<dyn Update>,
}

/// Handles PATCH of an item.
pub fn update(path: &str, resource: Arc<dyn Update>) -> MethodRouter {
    let path = path.into();
    let router = patch(change_item).with_state(Shared { path, resource });
    router.layer(map_response(tell_what_patch_takes))
}

/// Handles PATCH of the item whose id is in the body.
pub fn update_named(path: &str, resource: Arc<dyn Update>) -> MethodRouter {
    let path = path.into();
    let router = patch(change_named_item).with_state(Shared { path, resource });
    router.layer(map_response(tell_what_patch_takes))
}

/// Adds to a 405, of which `OPTIONS` makes its answer, what PATCH takes.
async fn tell_what_patch_takes(mut response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let patches = HeaderValue::from_static(PATCHES);
        response.headers_mut().insert(ACCEPT_PATCH, patches);
    }
    response
}

/// What the head of a PATCH says. It has no query parameters.
struct Head {
    is_merge_patch: bool,
    preconditions: Preconditions,
    request: RequestContext,
}

impl<S: Sync> FromRequestParts<S> for Head {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        query::check_none(parts.uri.query())?;
        let Ok(request) = RequestContext::from_request_parts(parts, state).await;
        Ok(Self {
            is_merge_patch: content::is_merge_patch(&parts.headers),
            preconditions: Preconditions::of(&parts.headers),
            request,
        })
    }
}

async fn change_item(
    State(shared): State<Shared>,
    PublicId(id): PublicId,
    head: Head,
    body: ObjectBody,
) -> Result<Response, Problem> {
    apply_change(&shared, id, head, body.0).await
}

async fn change_named_item(
    State(shared): State<Shared>,
    head: Head,
    body: ObjectBody,
) -> Result<Response, Problem> {
    let id = body.0.get("id").and_then(Json::id);
    let id =
        id.ok_or_else(|| Problem::from(Rejection::invalid("/id", "must be the id of an item")))?;
    apply_change(&shared, id, head, body.0).await
}

async fn apply_change(
    shared: &Shared,
    id: i64,
    head: Head,
    body: Object,
) -> Result<Response, Problem> {
    let change = Change {
        id,
        body,
        is_merge_patch: head.is_merge_patch,
        preconditions: head.preconditions,
        request: head.request,
    };
    let item = shared.resource.update(change).await.map_err(refused)?;
    let body = hal::text(hal::item(&shared.path, item));
    let tag = Tag::of(body.as_bytes());
    Ok(tag.on(hal::response(StatusCode::OK, body)))
}
