//! The parked events of a service over HTTP: list, show, replay, discard. They are those that the
//! log has refused for good; the later events of their sagas wait for them.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use innkeeper_contracts::pod;
use innkeeper_contracts::secret::masked;
use innkeeper_kit::Rejection;
use innkeeper_kit::store::{ParkedEvent, Store};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::problem::Problem;
use crate::resource::Page;

/// How many parked events a list has at most. What comes behind them shows once they are gone.
const LONGEST_LIST: u32 = 1_000;

/// The routes of the parked events of a service.
pub fn router(store: Arc<dyn Store>) -> Router {
    let all = pod::PARKED_EVENTS;
    Router::new()
        .route(all, get(list))
        .route(&format!("{all}/{{id}}"), get(show).delete(discard))
        .route(&format!("{all}/{{id}}/replay"), post(replay))
        .with_state(store)
}

async fn list(
    State(store): State<Arc<dyn Store>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let page = Page::parse_with_limit(query.as_deref(), LONGEST_LIST)?;
    // There is one page, however short it was asked for: what comes after any of its events is
    // empty.
    let limit = if page.after > 0 { 0 } else { LONGEST_LIST };
    let parked = store.list_parked(limit + 1).await?;
    let items: Vec<Value> = parked.iter().take(limit as usize).map(summary).collect();
    let has_more = limit > 0 && parked.len() > items.len();
    Ok(Json(json!({ "items": items, "hasMore": has_more })))
}

async fn show(
    State(store): State<Arc<dyn Store>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let id = known(id)?;
    let parked = store.list_parked(LONGEST_LIST).await?;
    let mut parked = parked.iter();
    let parked = parked.find(|parked| parked.event.id == id);
    let parked = parked.ok_or_else(missing)?;
    let mut shown = summary(parked);
    let headers = parked.event.headers.iter();
    let headers: Map<_, _> = headers
        .map(|(name, value)| (name.to_string(), masked(value).into()))
        .collect();
    shown["headers"] = headers.into();
    shown["payload"] = masked(&parked.event.payload).into();
    Ok(Json(shown))
}

async fn replay(
    State(store): State<Arc<dyn Store>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let id = known(id)?;
    if store.replay_parked(id).await? {
        return Ok(Json(json!({ "id": id, "outcome": "sent again" })));
    }
    Err(missing())
}

async fn discard(
    State(store): State<Arc<dyn Store>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<StatusCode, Problem> {
    if store.discard_parked(known(id)?).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(missing())
}

fn summary(parked: &ParkedEvent) -> Value {
    json!({
        "id": parked.event.id,
        "kind": "Refused",
        "occurredAt": parked.parked_at.to_string(),
        "key": parked.event.aggregate_id,
        "eventType": parked.event.event_type,
        "error": parked.reason,
    })
}

/// The id in a path. What is no id names no event.
fn known(id: Result<Path<Uuid>, PathRejection>) -> Result<Uuid, Problem> {
    id.map(|Path(id)| id).map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::from(Rejection::NotFound).detail("there is no parked event with this id")
}
