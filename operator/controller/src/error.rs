//! What can go wrong in a reconciliation, and when to try again.

use std::time::Duration;

/// A reconciliation that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object could not be read.
    #[error("could not read {what}")]
    Fetch {
        /// What was to be read.
        what: String,
        /// Why not.
        source: kube::Error,
    },
    /// An object could not be written.
    #[error("could not apply {what}")]
    Apply {
        /// What was to be written.
        what: String,
        /// Why not.
        source: kube::Error,
    },
    /// An object that is no longer wanted could not be deleted.
    #[error("could not delete {what}")]
    Prune {
        /// What was to be deleted.
        what: String,
        /// Why not.
        source: kube::Error,
    },
    /// A status could not be written.
    #[error("could not write the status of {what}")]
    Status {
        /// Whose status it is.
        what: String,
        /// Why not.
        source: kube::Error,
    },
    /// The API server answered with something that is no such object.
    #[error("could not understand the answer about {what}")]
    Answer {
        /// What was answered.
        what: String,
        /// Why it is none.
        source: serde_json::Error,
    },
    /// It took too long.
    #[error("not finished within {0:?}")]
    Deadline(Duration),
}

/// How soon something may be different.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    /// Someone else wrote at the same time.
    Conflict,
    /// The API server was not there, or too busy.
    Outage,
    /// The API server refuses; someone has to change something.
    Refused,
}

impl Class {
    /// Every class there is.
    pub(crate) const ALL: [Self; 3] = [Self::Conflict, Self::Outage, Self::Refused];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Outage => "outage",
            Self::Refused => "refused",
        }
    }

    /// How long to wait until the next attempt.
    pub(crate) const fn retry_after(self) -> Duration {
        match self {
            Self::Conflict => Duration::from_millis(500),
            Self::Outage => Duration::from_secs(5),
            Self::Refused => Duration::from_mins(1),
        }
    }
}

impl Error {
    /// How soon another attempt makes sense.
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

/// The API server's own words, when it refused a write that someone has to change.
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
