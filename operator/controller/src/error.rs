//! Errors of a reconciliation, and when to try again.

use std::time::Duration;

/// A reconciliation that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object could not be read.
    #[error("could not read {what}")]
    Fetch {
        /// The object, or the objects, to read.
        what: String,
        /// The error of the client.
        source: kube::Error,
    },
    /// An object could not be written.
    #[error("could not apply {what}")]
    Apply {
        /// The object to write.
        what: String,
        /// The error of the client.
        source: kube::Error,
    },
    /// An object that is no longer wanted could not be deleted.
    #[error("could not delete {what}")]
    Prune {
        /// The object to delete.
        what: String,
        /// The error of the client.
        source: kube::Error,
    },
    /// A status could not be written.
    #[error("could not write the status of {what}")]
    Status {
        /// The object whose status it is.
        what: String,
        /// The error of the client.
        source: kube::Error,
    },
    /// The API server's answer does not have the expected form.
    #[error("could not understand the answer about {what}")]
    Answer {
        /// The object in the answer.
        what: String,
        /// The error of the decoder.
        source: serde_json::Error,
    },
    /// The reconciliation took longer than this deadline.
    #[error("not finished within {0:?}")]
    Deadline(Duration),
}

/// The kind of an error, which decides when to try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    /// Somebody else wrote at the same time.
    Conflict,
    /// The API server was unavailable or too busy.
    Outage,
    /// The API server refuses, and somebody has to change something.
    Refused,
}

impl Class {
    pub(crate) const ALL: [Self; 3] = [Self::Conflict, Self::Outage, Self::Refused];

    /// Name of the class in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Outage => "outage",
            Self::Refused => "refused",
        }
    }

    /// How long to wait before the next attempt.
    pub(crate) const fn retry_after(self) -> Duration {
        match self {
            Self::Conflict => Duration::from_millis(500),
            Self::Outage => Duration::from_secs(5),
            Self::Refused => Duration::from_mins(1),
        }
    }
}

impl Error {
    /// The class of the error.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Fetch { source, .. }
            | Self::Apply { source, .. }
            | Self::Prune { source, .. }
            | Self::Status { source, .. } => class_of(source),
            Self::Answer { .. } => Class::Refused,
            Self::Deadline(_) => Class::Outage,
        }
    }
}

/// The API server's message, if it refused a write that somebody has to change.
pub(crate) fn refusal(error: &kube::Error) -> Option<&str> {
    match error {
        kube::Error::Api(status) if class_of(error) == Class::Refused => Some(&status.message),
        _ => None,
    }
}

fn class_of(error: &kube::Error) -> Class {
    match error {
        kube::Error::Api(status) => match status.code {
            409 => Class::Conflict,
            400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 => Class::Refused,
            _ => Class::Outage,
        },
        _ => Class::Outage,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16) -> kube::Error {
        kube::Error::Api(Status::failure("no", "Because").with_code(code).boxed())
    }

    #[test]
    fn an_answer_says_how_soon_to_try_again() {
        for (code, class) in [
            (409, Class::Conflict),
            (403, Class::Refused),
            (422, Class::Refused),
            (429, Class::Outage),
            (500, Class::Outage),
            (503, Class::Outage),
        ] {
            let error = Error::Apply {
                what: "Deployment pay".to_owned(),
                source: answered(code),
            };
            assert_eq!(error.class(), class, "{code}");
        }
    }

    #[test]
    fn only_a_refusal_is_for_someone_to_read() {
        assert_eq!(refusal(&answered(422)), Some("no"));
        assert_eq!(refusal(&answered(503)), None);
    }
}
