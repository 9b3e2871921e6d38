//! The dead letters of a service over HTTP: list, show, replay, discard.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use innkeeper_contracts::pod;
use innkeeper_contracts::secret::masked;
use innkeeper_kit::Rejection;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{DeadLetterQuery, StoredDeadLetter};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::dead_letters::{DeadLetters, Replayed};
use crate::problem::Problem;
use crate::resource::{Page, refused};

/// How many dead letters a list has unless the client asks for another number.
const PAGE: u32 = 100;

/// The routes of the dead letters of a service.
pub fn router(dead_letters: Arc<DeadLetters>) -> Router {
    let all = pod::DEAD_LETTERS;
    Router::new()
        .route(all, get(list))
        .route(&format!("{all}/{{id}}"), get(show).delete(discard))
        .route(&format!("{all}/{{id}}/replay"), post(replay))
        .with_state(dead_letters)
}

/// A dead letter in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    id: Uuid,
    number: i64,
    kind: &'static str,
    occurred_at: String,
    tries: u32,
    topic: &'a str,
    partition: i32,
    offset: i64,
    /// The key of the record, which is the correlation id of its saga.
    key: Option<&'a str>,
    event_id: Option<Uuid>,
    event_type: Option<&'a str>,
    error: &'a str,
}

async fn list(
    State(dead_letters): State<Arc<DeadLetters>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let Page { after, size: limit } = Page::parse_with_limit(query.as_deref(), PAGE)?;
    let query = DeadLetterQuery {
        kind: None,
        after,
        limit: limit + 1,
    };
    let letters = dead_letters.list(query).await?;
    let items: Vec<Summary> = letters.iter().take(limit as usize).map(summary).collect();
    let has_more = letters.len() > items.len();
    Ok(Json(json!({ "items": items, "hasMore": has_more })))
}

async fn show(
    State(dead_letters): State<Arc<DeadLetters>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let stored = dead_letters.load(known(id)?).await?;
    let stored = stored.ok_or_else(missing)?;
    let mut shown = json!(summary(&stored));
    let headers = stored.letter.headers.iter();
    let headers: Map<_, _> = headers
        .map(|(name, value)| (name.to_string(), masked(value).into()))
        .collect();
    let payload = String::from_utf8_lossy(&stored.letter.payload);
    shown["headers"] = headers.into();
    shown["payload"] = masked(&payload).into();
    Ok(Json(shown))
}

async fn replay(
    State(dead_letters): State<Arc<DeadLetters>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let id = known(id)?;
    match dead_letters.replay(id).await.map_err(refused)? {
        Replayed::Missing => Err(missing()),
        Replayed::Done(effect) => {
            let outcome = match effect {
                Effect::Done => "effect",
                Effect::None => "none",
                Effect::Duplicate => "duplicate",
            };
            Ok(Json(json!({ "id": id, "outcome": outcome })))
        }
        Replayed::Again(error) => {
            let title = "The record cannot be handled yet, and stays a dead letter";
            Err(Problem::new(StatusCode::CONFLICT, title).detail(error))
        }
    }
}

async fn discard(
    State(dead_letters): State<Arc<DeadLetters>>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<StatusCode, Problem> {
    if dead_letters.discard(known(id)?).await.map_err(refused)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(missing())
}

fn summary(stored: &StoredDeadLetter) -> Summary<'_> {
    let letter = &stored.letter;
    let mut headers = letter.headers.iter();
    let event_type = headers.find(|(name, _)| name == "ce_type");
    Summary {
        id: letter.id,
        number: stored.number,
        kind: letter.kind.as_str(),
        occurred_at: stored.occurred_at.to_string(),
        tries: letter.tries,
        topic: &letter.topic,
        partition: letter.partition,
        offset: letter.offset,
        key: letter.key.as_deref(),
        event_id: letter.event_id,
        event_type: event_type.map(|(_, value)| value.as_str()),
        error: &letter.error,
    }
}

/// The id in a path. What is no id names no dead letter.
fn known(id: Result<Path<Uuid>, PathRejection>) -> Result<Uuid, Problem> {
    id.map(|Path(id)| id).map_err(|_| missing())
}

fn missing() -> Problem {
    Problem::from(Rejection::NotFound).detail("there is no dead letter with this id")
}
