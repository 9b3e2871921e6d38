//! JSON bodies: read within the size limit and in time, or refused with the right status.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use innkeeper_kit::Rejection;
use innkeeper_kit::json::{Object, Unreadable};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::content;
use crate::edge;
use crate::problem::Problem;

/// How long a client may take to send a body.
pub const READ_BODY_WITHIN: Duration = Duration::from_secs(10);

/// The JSON body of a request, deserialized. It is refused with 415 if its media type is another
/// one or it is coded, 400 if it is not JSON, 422 if it does not fit the type, 413 if it is too
/// large, and 408 if it does not come in time.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read_json_bytes(request).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
        Ok(Self(value))
    }
}

/// The JSON body of a request in the platform's words, with every value as it was sent. It is
/// refused like a [`JsonBody`], and with 422 if a member is given twice.
#[derive(Clone, Debug)]
pub struct ObjectBody(pub Object);

impl<S: Sync> FromRequest<S> for ObjectBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read_json_bytes(request).await?;
        Object::read(&bytes).map(Self).map_err(no_object)
    }
}

async fn read_json_bytes(request: Request) -> Result<Bytes, Problem> {
    content::check(request.method(), request.headers())?;
    read(request.into_body()).await
}

/// Reads a whole body, within the limit and in time.
pub async fn read(body: Body) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(READ_BODY_WITHIN, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) => Err(unreadable(&error)),
        Err(_) => Err(too_slow()),
    }
}

/// The problem of a body that did not come in time (408).
pub fn too_slow() -> Problem {
    Problem::of(StatusCode::REQUEST_TIMEOUT).detail("the body did not come in time")
}

/// The problem of a body that could not be read: 413 or 400.
pub fn unreadable(error: &(dyn Error + 'static)) -> Problem {
    if is_limit(error) {
        return edge::too_large();
    }
    Problem::of(StatusCode::BAD_REQUEST).detail("the body could not be read to its end")
}

/// Whether an error was caused by a body that exceeds the limit.
pub fn is_limit(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn no_object(unreadable: Unreadable) -> Problem {
    match unreadable {
        Unreadable::Malformed(error) => malformed(&error),
        Unreadable::TooDeep => Problem::of(StatusCode::BAD_REQUEST).detail(unreadable.to_string()),
        Unreadable::NoObject => {
            Problem::of(StatusCode::UNPROCESSABLE_ENTITY).detail(unreadable.to_string())
        }
        Unreadable::Repeated(faults) => Rejection::Invalid(faults).into(),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let (status, wrong) = match error.classify() {
        Category::Data => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "what the body says is not what is asked for here",
        ),
        Category::Eof => (
            StatusCode::BAD_REQUEST,
            "the body ends before its JSON does",
        ),
        Category::Syntax | Category::Io => (StatusCode::BAD_REQUEST, "the body is not JSON"),
    };
    let (line, column) = (error.line(), error.column());
    Problem::of(status).detail(format!("{wrong}, at line {line}, column {column}"))
}
