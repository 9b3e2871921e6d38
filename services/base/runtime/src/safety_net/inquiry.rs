//! Asks booking services what became of bookings.

use std::time::Duration;

use innkeeper_contracts::calls::{
    BOOKINGS, BookingAnswer, BookingOutcome, BookingsAnswer, BookingsRequest,
};
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::settings::BookingAddress;
use uuid::Uuid;

use crate::callee::{AnswerError, CallContext, Callee, InvalidAddress};
use crate::context::Context;

/// How long a call may take.
const WITHIN: Duration = Duration::from_secs(5);

/// A booking service gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{service} does not say what became of bookings")]
pub(super) struct InquiryError {
    service: String,
    source: Unusable,
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error("its answer is about other bookings")]
    Other,
}

/// The booking services that may know a booking.
pub(super) struct Inquiry {
    services: Vec<Asked>,
}

struct Asked {
    callee: Callee,
    source: String,
}

impl Inquiry {
    pub fn of(services: &[BookingAddress], context: &Context) -> Result<Self, InvalidAddress> {
        let own = EventSource::of(&context.settings);
        let asked = |address: &BookingAddress| {
            let source = EventSource {
                service: address.service.clone(),
                ..own.clone()
            };
            let (name, address) = (&address.service, &address.address);
            Ok(Asked {
                callee: Callee::new(&context.client, name, address, WITHIN)?,
                source: source.to_text(),
            })
        };
        let services = services.iter().map(asked).collect::<Result<_, _>>()?;
        Ok(Self { services })
    }

    /// What became of bookings. A booking is unknown only if each of the services says so.
    pub async fn ask(&self, sagas: &[Uuid]) -> Result<Vec<BookingAnswer>, InquiryError> {
        let mut known = Vec::new();
        let mut unknown: Vec<BookingAnswer> = sagas.iter().map(|saga| nothing(*saga)).collect();
        for service in &self.services {
            let open = unknown.iter().map(|booking| booking.correlation_id);
            let answers = service.ask(open.collect()).await;
            let answers = answers.map_err(|source| InquiryError {
                service: service.callee.name.clone(),
                source,
            })?;
            let (rest, found) = answers
                .into_iter()
                .partition(|booking| booking.outcome == BookingOutcome::Unknown);
            known.extend::<Vec<BookingAnswer>>(found);
            unknown = rest;
        }
        known.extend(unknown);
        Ok(known)
    }
}

impl Asked {
    async fn ask(&self, sagas: Vec<Uuid>) -> Result<Vec<BookingAnswer>, Unusable> {
        if sagas.is_empty() {
            return Ok(Vec::new());
        }
        let question = BookingsRequest {
            asked: self.source.clone(),
            correlation_ids: sagas,
        };
        let context = CallContext::default();
        let answer = self.callee.post_json(BOOKINGS, &question, context);
        let answer: BookingsAnswer = answer.await?;
        let told = answer.bookings.iter().map(|booking| booking.correlation_id);
        if !told.eq(question.correlation_ids) {
            return Err(Unusable::Other);
        }
        Ok(answer.bookings)
    }
}

/// What is known of a booking before anybody was asked.
const fn nothing(correlation_id: Uuid) -> BookingAnswer {
    BookingAnswer {
        correlation_id,
        clock: 0,
        outcome: BookingOutcome::Unknown,
    }
}
