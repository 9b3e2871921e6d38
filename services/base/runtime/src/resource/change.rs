//! PATCH: a command to an item, given by the label of the state that it leads to.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::response::Response;
use axum::routing::{MethodRouter, patch};
use innkeeper_contracts::Words;
use innkeeper_kit::json::Object;
use innkeeper_kit::label::{self, Table};
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::Decision;
use innkeeper_kit::{Entity, Failure, Rejection, Repository, contradiction};

use super::{Item, Resource, item_response, public_id, refused};
use crate::json::ObjectBody;
use crate::problem::Problem;
use crate::request::RequestContext;

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
    /// Carries out the command of a PATCH, and returns the row as it is then. `table` tells what a
    /// label leads to, and `walk` makes the rows on that path. Refuses a PATCH whose `If-Match` is
    /// not the row's version, or whose fields contradict the row.
    pub async fn execute<S: innkeeper_kit::State>(
        self,
        repository: &Repository<S>,
        table: Table<S>,
        walk: impl Fn(&Entity<S>, &[S]) -> Vec<Entity<S>> + Send + 'static,
    ) -> Result<Entity<S>, Failure> {
        let words = repository.words().clone();
        let asked = label::asked(&words, &self.body, table)?;
        let (id, cause) = (self.id, self.cause.clone());
        let execute = repository.execute(id, cause, move |row| {
            self.check(&words, row)?;
            let path = label::path_to(&words, row.state, &asked, table)?;
            Ok(if path.is_empty() {
                Decision::Keep
            } else {
                Decision::Become(walk(row, path))
            })
        });
        execute.await
    }

    fn check<S: innkeeper_kit::State>(
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
    patch(change_item).with_state(Shared { path, resource })
}

/// Handles PATCH of the item whose id is in the body.
pub fn update_named(path: &str, resource: Arc<dyn Update>) -> MethodRouter {
    let path = path.into();
    patch(change_named_item).with_state(Shared { path, resource })
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
        .update(Change {
            id,
            body,
            if_match,
            cause,
        })
        .await
        .map_err(refused)?;
    Ok(item_response(&shared.path, item))
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
