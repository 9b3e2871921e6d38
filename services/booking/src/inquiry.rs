//! Answers services that hold something for bookings and heard nothing of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as AxumState;
use axum::http::StatusCode;
use futures::{StreamExt, TryStreamExt, stream};
use innkeeper_contracts::calls::{
    BookingAnswer, BookingOutcome, BookingsAnswer, BookingsRequest, MAX_BOOKINGS,
};
use innkeeper_kit::Rejection;
use innkeeper_kit::repository::stored;
use innkeeper_kit::store::StoreError;
use innkeeper_runtime::json::JsonBody;
use innkeeper_runtime::problem::{Problem, causes};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Bookings;
use crate::domain::outcome;

/// How many bookings are loaded concurrently, so that clients are not kept waiting for a
/// connection.
const AT_ONCE: usize = 4;

/// Handles the question what became of bookings.
pub async fn answer(
    AxumState(bookings): AxumState<Arc<Bookings>>,
    body: JsonBody<BookingsRequest>,
) -> Result<Json<BookingsAnswer>, Problem> {
    let BookingsRequest {
        asked,
        correlation_ids,
    } = body.0;
    if asked != bookings.source {
        let detail = format!("this is {}, not {asked}", bookings.source);
        return Err(Problem::of(StatusCode::MISDIRECTED_REQUEST).detail(detail));
    }
    if correlation_ids.len() > MAX_BOOKINGS {
        let detail = format!("must have at most {MAX_BOOKINGS} items");
        return Err(Rejection::invalid("/correlationIds", detail).into());
    }
    let sagas = stream::iter(correlation_ids);
    let answers = sagas
        .map(|saga| bookings.load_outcome(saga))
        .buffered(AT_ONCE);
    Ok(Json(BookingsAnswer {
        bookings: answers.try_collect().await?,
    }))
}

impl Bookings {
    async fn load_outcome(&self, correlation_id: Uuid) -> Result<BookingAnswer, StoreError> {
        let row = self.repository.store().load(correlation_id).await?;
        let (clock, created_at) = row.as_ref().map_or((0, Timestamp::UNIX_EPOCH), |row| {
            (row.clock, row.created_at)
        });
        let timeout = SignedDuration::from_secs(self.settings.pending_timeout_seconds.into());
        let outcome = match stored(row.as_ref()) {
            Ok(stored) => outcome(&stored, created_at, timeout),
            // Another release may be able to read it. Until then nothing may be given back.
            Err(error) => {
                tracing::error!(story = %correlation_id, error = causes(&error), "a booking that is asked about cannot be read");
                BookingOutcome::Pending {
                    until: self.repository.now() + timeout,
                }
            }
        };
        Ok(BookingAnswer {
            correlation_id,
            clock,
            outcome,
        })
    }
}
