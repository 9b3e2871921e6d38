//! The services that take part in a placement, in the order in which they are asked: first a POST
//! has each of them prepare its part, and if that got stuck, recovery asks what became of it.
//!
//! A part is undone by the end of its saga: `rejected`, `expired` and `cancelled` reach every
//! participant as an event.

mod payment;

use std::ops::ControlFlow;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::settings;
use innkeeper_kit::entity::Entity;
use innkeeper_runtime::callee::{AnswerError, InvalidAddress};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::request::RequestContext;

use crate::domain::State;
use crate::domain::placement::{Answer, after};

/// A service that must do its part before a booking is confirmed. The correlation id is the
/// idempotency key of all calls, so each can be repeated.
#[async_trait]
pub trait Participant: Send + Sync {
    /// Name of the service.
    fn service(&self) -> &str;

    /// How long a call may take at most.
    fn timeout(&self) -> Duration;

    /// Has it do its part.
    async fn prepare(
        &self,
        booking: &Entity<State>,
        request: &RequestContext,
    ) -> Result<Answer, AnswerError>;

    /// Asks what became of its part. A part that it knows nothing of, it refuses from then on.
    async fn fetch_outcome(&self, booking: &Entity<State>) -> Result<Answer, AnswerError>;
}

/// A participant gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{service} does not do its part")]
pub struct Unavailable {
    /// Name of the service.
    pub service: String,
    source: AnswerError,
}

impl Unavailable {
    /// Whether the request had no time left, which is no failure of the participant.
    pub const fn is_deadline(&self) -> bool {
        self.source.is_deadline()
    }
}

/// What participants are asked.
#[derive(Clone, Copy)]
pub enum Question<'a> {
    /// To do their part, for a request.
    Prepare(&'a RequestContext),
    /// What became of their part.
    Outcome,
}

/// The participants of a service's placements.
pub struct Participants(Vec<Box<dyn Participant>>);

impl Participants {
    /// The participants that the settings of a service name.
    pub fn of(settings: &settings::Booking, context: &Context) -> Result<Self, InvalidAddress> {
        let payment = payment::Payment::of(settings, context)?;
        let payment = payment.map(|payment| Box::new(payment) as Box<dyn Participant>);
        Ok(Self(payment.into_iter().collect()))
    }

    /// Asks one after the other, until one is not prepared. Returns what becomes of the pending
    /// booking: it is confirmed if all are prepared, rejected if one refuses, and otherwise
    /// pending, with the clock that it has seen.
    pub async fn ask(
        &self,
        booking: &Entity<State>,
        question: Question<'_>,
    ) -> Result<Entity<State>, Unavailable> {
        let mut booking = booking.clone();
        for participant in &self.0 {
            let answer = match question {
                Question::Prepare(request) => participant.prepare(&booking, request).await,
                Question::Outcome => participant.fetch_outcome(&booking).await,
            };
            let answer = answer.map_err(|source| Unavailable {
                service: participant.service().to_owned(),
                source,
            })?;
            match after(&booking, &answer) {
                ControlFlow::Continue(prepared) => booking = prepared,
                ControlFlow::Break(stopped) => return Ok(stopped),
            }
        }
        Ok(booking.moved(State::Confirmed, 0))
    }

    /// How long it may take at most to ask all of them.
    pub fn timeout(&self) -> Duration {
        self.0.iter().map(|participant| participant.timeout()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::http::HeaderMap;
    use innkeeper_contracts::{PublicIds, Snapshot};
    use uuid::Uuid;

    use super::*;
    use crate::domain::placement::{Part, placed};

    /// The clock of every answer.
    const CLOCK: i64 = 5;

    type Asked = Arc<Mutex<Vec<(&'static str, PublicIds)>>>;

    /// Answers always the same, or never, and notes what it was asked.
    struct Fixed {
        name: &'static str,
        part: Option<Part>,
        asked: Asked,
    }

    impl Fixed {
        fn answer(&self, booking: &Entity<State>) -> Result<Answer, AnswerError> {
            let mut asked = self.asked.lock().unwrap();
            asked.push((self.name, booking.snapshot.ids));
            let part = self.part.clone().ok_or(AnswerError::Status(503))?;
            Ok(Answer { clock: CLOCK, part })
        }
    }

    #[async_trait]
    impl Participant for Fixed {
        fn service(&self) -> &str {
            self.name
        }

        fn timeout(&self) -> Duration {
            Duration::from_secs(1)
        }

        async fn prepare(
            &self,
            booking: &Entity<State>,
            _: &RequestContext,
        ) -> Result<Answer, AnswerError> {
            self.answer(booking)
        }

        async fn fetch_outcome(&self, booking: &Entity<State>) -> Result<Answer, AnswerError> {
            self.answer(booking)
        }
    }

    fn prepared() -> Part {
        Part::Prepared(PublicIds {
            payment: Some(7),
            ..PublicIds::default()
        })
    }

    /// What becomes of a booking, and who was asked with which id of a payment. A request and
    /// recovery come to the same.
    async fn ask(parts: [Option<Part>; 2]) -> (Result<State, String>, Vec<(String, Option<i64>)>) {
        let request = RequestContext::of(&HeaderMap::new());
        let mut results = Vec::new();
        for question in [Question::Prepare(&request), Question::Outcome] {
            let asked = Asked::default();
            let parts = ["first", "second"].into_iter().zip(parts.clone());
            let list = parts.map(|(name, part)| {
                let asked = Arc::clone(&asked);
                Box::new(Fixed { name, part, asked }) as Box<dyn Participant>
            });
            let participants = Participants(list.collect());
            assert_eq!(participants.timeout(), Duration::from_secs(2));
            let booking = placed(1, Uuid::nil(), Snapshot::default(), None);
            let result = participants.ask(&booking, question).await;
            let result = result.map(|booking| {
                assert!(booking.clock >= CLOCK);
                booking.state
            });
            let asked = asked.lock().unwrap();
            let asked = asked
                .iter()
                .map(|(name, ids)| ((*name).to_owned(), ids.payment));
            results.push((result.map_err(|error| error.service), asked.collect()));
        }
        assert_eq!(results[0], results[1]);
        results.remove(0)
    }

    fn both() -> Vec<(String, Option<i64>)> {
        vec![("first".to_owned(), None), ("second".to_owned(), Some(7))]
    }

    #[tokio::test]
    async fn a_booking_is_confirmed_once_all_are_prepared_each_with_what_was_known_before() {
        let (result, asked) = ask([Some(prepared()), Some(prepared())]).await;
        assert_eq!((result, asked), (Ok(State::Confirmed), both()));
    }

    #[tokio::test]
    async fn nobody_is_asked_after_one_that_is_not_prepared() {
        let refused = Part::Refused("sold out".to_owned());
        let first = vec![("first".to_owned(), None)];
        for (part, expected) in [
            (Some(refused), Ok(State::Rejected)),
            (Some(Part::Unsettled), Ok(State::Pending)),
            (None, Err("first".to_owned())),
        ] {
            let (result, asked) = ask([part, Some(prepared())]).await;
            assert_eq!((result, &asked), (expected, &first));
        }
    }

    #[tokio::test]
    async fn the_last_one_decides_as_the_first_does() {
        let refused = Part::Refused("declined".to_owned());
        for (part, expected) in [
            (Some(refused), Ok(State::Rejected)),
            (Some(Part::Unsettled), Ok(State::Pending)),
            (None, Err("second".to_owned())),
        ] {
            let (result, asked) = ask([Some(prepared()), part]).await;
            assert_eq!((result, asked), (expected, both()));
        }
    }

    #[tokio::test]
    async fn a_booking_without_participants_is_confirmed() {
        let booking = placed(1, Uuid::nil(), Snapshot::default(), None);
        let participants = Participants(Vec::new());
        let confirmed = participants.ask(&booking, Question::Outcome).await;
        assert_eq!(confirmed.unwrap().state, State::Confirmed);
    }
}
