//! The final answer to a POST, by the state of its booking. It is sent now, and replayed for the
//! idempotency key.

use axum::http::StatusCode;
use innkeeper_contracts::{ServiceSettings, settings};
use innkeeper_kit::Rejection;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::show::Shown;
use innkeeper_kit::store::{KeyChange, StoredAnswer};
use innkeeper_runtime::problem::Problem;
use innkeeper_runtime::resource::Presenter;

use crate::domain::State;

/// Builds answers in the platform's words.
pub struct Answers {
    pub presenter: Presenter,
}

impl Answers {
    /// Answers for one service.
    pub fn new(service: &ServiceSettings, booking: &settings::Booking) -> Self {
        Self {
            presenter: Presenter::new(service, &booking.words, Shown::All),
        }
    }

    /// The final answer for a booking; `None` while it is pending.
    pub fn last(&self, booking: &Entity<State>) -> Option<StoredAnswer> {
        let rejection = match booking.state {
            State::Pending => return None,
            State::Confirmed | State::Completed => return Some(self.made(booking)),
            State::Rejected => {
                Rejection::PaymentRequired(booking.reason.clone().unwrap_or_default())
            }
            State::Expired => {
                Rejection::Conflict("it was not settled in time and is expired".to_owned())
            }
            State::Cancelled => Rejection::Conflict("it was cancelled".to_owned()),
        };
        Some(refused(rejection))
    }

    /// What to do with the key of a booking that changes: it is settled once the booking is no
    /// longer pending.
    pub fn settle(&self, before: Option<State>, booking: &Entity<State>) -> Option<KeyChange> {
        let was_pending = matches!(before, None | Some(State::Pending));
        let answer = self.last(booking).filter(|_| was_pending)?;
        Some(KeyChange::Settle {
            correlation_id: booking.correlation_id,
            answer,
        })
    }

    fn made(&self, booking: &Entity<State>) -> StoredAnswer {
        let body = self.presenter.body(booking);
        StoredAnswer {
            status: StatusCode::CREATED.as_u16(),
            location_id: Some(booking.id),
            body,
        }
    }
}

fn refused(rejection: Rejection) -> StoredAnswer {
    let problem = Problem::from(rejection);
    let body = serde_json::to_string(&problem).expect("a problem is texts and numbers");
    StoredAnswer {
        status: problem.status,
        location_id: None,
        body,
    }
}
