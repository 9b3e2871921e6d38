//! Calls between services that ask and answer in JSON.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CallContext, Callee};
use crate::client::CallError;

/// Why a call has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the call failed")]
    Call(#[from] CallError),
    /// The answer has an error status.
    #[error("it answered with status {0}")]
    Status(u16),
    /// The question cannot be written, or the answer cannot be read.
    #[error("its answer cannot be read")]
    Body(#[from] serde_json::Error),
}

impl AnswerError {
    /// Whether the caller had no time left, which is no failure of the callee.
    pub const fn is_deadline(&self) -> bool {
        matches!(self, Self::Call(CallError::Deadline))
    }
}

impl Callee {
    /// Asks with a GET of a path.
    pub async fn get_json<A: DeserializeOwned>(
        &self,
        path: &str,
        context: CallContext,
    ) -> Result<A, AnswerError> {
        let request = Request::get(path)
            .body(Body::empty())
            .expect("the paths of calls are well formed");
        self.ask(request, context).await
    }

    /// Asks with a POST of a question to a path.
    pub async fn post_json<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
        context: CallContext,
    ) -> Result<A, AnswerError> {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(serde_json::to_vec(question)?))
            .expect("the paths of calls are well formed");
        self.ask(request, context).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        request: Request,
        context: CallContext,
    ) -> Result<A, AnswerError> {
        let answer = self.call(request, context).await?;
        if !answer.status().is_success() {
            return Err(AnswerError::Status(answer.status().as_u16()));
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}
