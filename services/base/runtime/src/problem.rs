//! Problem details (RFC 9457): the body of every refusal and failure.

use std::error::Error;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use innkeeper_contracts::secret::masked;
use innkeeper_kit::Rejection;
use innkeeper_kit::rejection::Fault;
use innkeeper_kit::store::StoreError;
use serde::{Deserialize, Serialize};

/// The media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a client may try again if the database or a service is unavailable.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// What went wrong, for the client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// The kind of problem; `about:blank` if the status says enough.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The kind of problem in words.
    pub title: Box<str>,
    /// The HTTP status code.
    pub status: u16,
    /// What is specific to this occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
    /// Every fault of the request, as `errors`.
    #[serde(rename = "errors", default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Name of the service that does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<str>>,
    /// Seconds after which the client may try again; also sent as `Retry-After`.
    #[serde(
        rename = "retryAfter",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after: Option<u32>,
    /// A further header of the answer.
    #[serde(skip)]
    pub header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of the kind `about:blank`.
    pub fn new(status: StatusCode, title: impl Into<Box<str>>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: title.into(),
            status: status.as_u16(),
            detail: None,
            faults: Vec::new(),
            service: None,
            retry_after: None,
            header: None,
        }
    }

    /// A problem whose title is the name of its status.
    pub fn of(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Problem"))
    }

    /// Adds what is specific to this occurrence, with secrets masked.
    #[must_use]
    pub fn detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(masked(detail.as_ref()).into());
        self
    }

    /// Adds the faults of the request. They need no masking: they quote the client's own names and
    /// values, and of the settings only words that every answer shows.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// Adds the name of the service that does not answer.
    #[must_use]
    pub fn service(mut self, name: impl Into<Box<str>>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Asks the client to wait this many seconds before it tries again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem is texts and numbers");
        let mut response = (self.status_code(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers.extend(self.header);
        response
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Invalid(faults) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "The request is invalid").faults(faults)
            }
            Rejection::NotFound => Self::new(StatusCode::NOT_FOUND, "There is no such resource"),
            Rejection::Conflict(why) => {
                Self::new(StatusCode::CONFLICT, "The state does not allow it").detail(why)
            }
            Rejection::PaymentRequired(why) => {
                Self::new(StatusCode::PAYMENT_REQUIRED, "The payment was refused").detail(why)
            }
            Rejection::InFlight {
                retry_after_seconds,
            } => Self::new(StatusCode::CONFLICT, "The request is already being handled")
                .retry_after(retry_after_seconds),
            Rejection::PreconditionFailed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "The resource is not as the preconditions of the request want it",
            ),
            Rejection::DeadlineExceeded => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "The time that the caller gave is over",
            ),
            Rejection::Unavailable {
                service,
                retry_after_seconds,
            } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "A needed service does not answer",
            )
            .service(service)
            .retry_after(retry_after_seconds),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The service is shutting down",
            )
            .retry_after(RETRY_AFTER_SECONDS),
            StoreError::Unavailable(_) => {
                tracing::warn!(error = causes(&error), "a request found no database");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database is unavailable",
                )
                .retry_after(RETRY_AFTER_SECONDS)
            }
            StoreError::Unknown(_) | StoreError::Unreadable(_) => {
                tracing::error!(
                    error = causes(&error),
                    "a request is about a row that cannot be read"
                );
                // What a parser says below that helps no client.
                let row = error.source().map(ToString::to_string);
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "What is stored cannot be read by this release",
                )
                .detail(row.unwrap_or_default())
            }
            StoreError::Failed(_) => {
                tracing::error!(error = causes(&error), "a request failed in the database");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The service failed; its log says why",
                )
            }
        }
    }
}

/// An error and all its causes in one line, with secrets masked. Some libraries repeat a cause in
/// the error; it is said once.
pub fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !line.ends_with(&said) {
            line.extend([": ", &said]);
        }
        cause = error.source();
    }
    masked(&line).into_owned()
}
