//! Reads as much of an answer as belongs to the call.

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};

use super::call::Extent;
use crate::client::CallError;

/// The largest answer that is read whole, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Bodies up to this length in bytes travel in one piece, also where others are streamed.
pub const IN_ONE_PIECE_BYTES: u64 = 64 * 1024;

/// Reads an answer to the given extent.
pub async fn read(response: Response, extent: Extent) -> Result<Response, CallError> {
    let (parts, body) = response.into_parts();
    let body = match (extent, body.size_hint().exact()) {
        (_, Some(0)) => Body::empty(),
        (Extent::Whole, _) | (Extent::Small, Some(..=IN_ONE_PIECE_BYTES)) => {
            Body::from(read_whole(body).await?)
        }
        (Extent::Small, _) => body,
    };
    Ok(Response::from_parts(parts, body))
}

async fn read_whole(body: Body) -> Result<Bytes, CallError> {
    let body = body.map_err(axum::Error::into_inner);
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    Ok(body.map_err(CallError::Reset)?.to_bytes())
}
