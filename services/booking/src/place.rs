//! Places a booking: commit it as pending, have it authorized outside any transaction, commit the
//! result, answer.
//!
//! Whoever holds the claim on a pending row settles it. Every write checks the row's version; a
//! writer that loses loads the row again and answers from its state.

use std::time::Duration;

use innkeeper_contracts::calls::AuthorizeAnswer;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::json::Object;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::{Stored, after};
use innkeeper_kit::store::{ClaimChange, KeyRow, KeyWrite, Row, StoredAnswer, Write, WriteError};
use innkeeper_kit::{CrashPoint, Failure, Rejection, request};
use innkeeper_runtime::problem::causes;
use innkeeper_runtime::request::RequestContext;
use innkeeper_runtime::resource::Creation;
use uuid::Uuid;

use crate::Bookings;
use crate::authorization::Authorizations;
use crate::domain::{State, answered, placed};

/// How much longer a claim is valid than a call may take.
const CLAIM_MARGIN: Duration = Duration::from_secs(2);

/// Seconds after which a client may try again, if its request is in flight or payment was
/// unreachable.
const RETRY_AFTER_SECONDS: u32 = 1;

impl Bookings {
    /// Executes a POST: makes a new booking, or resumes the one that its key began.
    pub async fn place(&self, creation: Creation) -> Result<StoredAnswer, Failure> {
        let Some(key) = &creation.key else {
            let booking = self.prepare(&creation.body).await?;
            self.begin(&booking, None).await.map_err(failure)?;
            return self.settle(after(booking), &creation.request).await;
        };
        let fingerprint = fingerprint(&creation.body);
        if let Some(known) = self.repository.store().load_key(key).await? {
            return self.resume(known, &fingerprint, &creation.request).await;
        }
        let booking = self.prepare(&creation.body).await?;
        let begin = KeyWrite::Begin {
            key: key.clone(),
            fingerprint: fingerprint.clone(),
            correlation_id: booking.correlation_id,
        };
        match self.begin(&booking, Some(begin)).await {
            Ok(()) => self.settle(after(booking), &creation.request).await,
            Err(WriteError::KeyTaken) => match self.repository.store().load_key(key).await? {
                Some(known) => self.resume(known, &fingerprint, &creation.request).await,
                None => Err(in_flight().into()),
            },
            Err(error) => Err(failure(error)),
        }
    }

    async fn prepare(&self, body: &Object) -> Result<Entity<State>, Failure> {
        let wanted = request::snapshot(&self.settings, body)?;
        let id = self.repository.store().reserve_id().await?;
        Ok(placed(
            id,
            self.repository.next_correlation_id(),
            wanted,
            self.settings.currency.as_deref(),
        ))
    }

    async fn begin(
        &self,
        booking: &Entity<State>,
        key: Option<KeyWrite>,
    ) -> Result<(), WriteError> {
        let row = Some(booking.write(self.claim()));
        self.repository
            .store()
            .write(Write {
                row,
                key,
                ..Write::default()
            })
            .await?;
        self.crash.passed(CrashPoint::PendingCommitted);
        Ok(())
    }

    /// Resumes what a key began: replays its final answer, or takes over the pending row if nobody
    /// has a valid claim on it.
    async fn resume(
        &self,
        known: KeyRow,
        fingerprint: &str,
        request: &RequestContext,
    ) -> Result<StoredAnswer, Failure> {
        if known.fingerprint != fingerprint {
            return Err(Rejection::invalid(
                "",
                "the idempotency key belongs to a request with another body",
            )
            .into());
        }
        if let Some(answer) = known.answer {
            return Ok(answer);
        }
        let row = self.repository.store().load(known.correlation_id).await?;
        let Some(row) = row.filter(|row| row.claim.as_ref().is_none_or(|claim| !claim.live)) else {
            return Err(in_flight().into());
        };
        let booking = self.take_claim(&row).await?;
        match self.answers.last(&booking) {
            Some(answer) => Ok(answer),
            None => self.settle(booking, request).await,
        }
    }

    /// Takes the claim on a row, and returns the booking as it is then.
    async fn take_claim(&self, row: &Row) -> Result<Entity<State>, Failure> {
        let Stored::Entity(booking) = innkeeper_kit::repository::stored(Some(row))? else {
            return Err(Rejection::NotFound.into());
        };
        if booking.state != State::Pending {
            return Ok(booking);
        }
        let taken = Some(booking.write(self.claim()));
        match self
            .repository
            .store()
            .write(Write {
                row: taken,
                ..Write::default()
            })
            .await
        {
            Ok(()) => Ok(after(booking)),
            Err(WriteError::Store(error)) => Err(error.into()),
            Err(_) => Err(in_flight().into()),
        }
    }

    /// Settles a pending booking whose claim this request holds.
    async fn settle(
        &self,
        booking: Entity<State>,
        request: &RequestContext,
    ) -> Result<StoredAnswer, Failure> {
        let settled = match &self.authorizations {
            None => booking.moved(State::Confirmed, 0),
            Some(payment) => match self.authorize(payment, &booking, request).await {
                Some(answer) => match answered(&booking, &answer) {
                    Some(settled) => settled,
                    // The saga has ended at the payment service: this booking was cancelled or
                    // expired meanwhile.
                    None => return self.answer_from_state(&booking).await,
                },
                None => return self.give_up(payment, &booking).await,
            },
        };
        self.commit(booking, settled, request).await
    }

    async fn authorize(
        &self,
        payment: &Authorizations,
        booking: &Entity<State>,
        request: &RequestContext,
    ) -> Option<AuthorizeAnswer> {
        let timeout = request.remaining(payment.timeout);
        match payment
            .authorize(booking, &request.traceparent, timeout)
            .await
        {
            Ok(answer) => {
                self.crash.passed(CrashPoint::Authorized);
                Some(answer)
            }
            Err(error) => {
                tracing::warn!(story = %booking.correlation_id, error = causes(&error), "a booking stays pending");
                None
            }
        }
    }

    async fn commit(
        &self,
        booking: Entity<State>,
        settled: Entity<State>,
        request: &RequestContext,
    ) -> Result<StoredAnswer, Failure> {
        let cause = Cause {
            event_id: None,
            traceparent: Some(request.traceparent.clone()),
        };
        let write = self
            .repository
            .write(Some(&booking), std::slice::from_ref(&settled), &cause);
        match self.repository.store().write(write).await {
            Ok(()) => {
                self.crash.passed(CrashPoint::ConfirmedCommitted);
                self.answers
                    .last(&settled)
                    .ok_or_else(|| in_flight().into())
            }
            Err(WriteError::Store(error)) => Err(error.into()),
            Err(_) => self.answer_from_state(&booking).await,
        }
    }

    /// Releases the claim, so that a retry can resume at once, and answers that payment is
    /// unavailable.
    async fn give_up(
        &self,
        payment: &Authorizations,
        booking: &Entity<State>,
    ) -> Result<StoredAnswer, Failure> {
        let released = Write {
            row: Some(booking.write(ClaimChange::Release)),
            ..Write::default()
        };
        match self.repository.store().write(released).await {
            Ok(()) => {}
            Err(WriteError::Store(error)) => {
                tracing::debug!(error = causes(&error), "the claim runs out by itself");
            }
            // Another writer has settled it meanwhile, for instance by a cancellation.
            Err(_) => {
                if let Ok(answer) = self.answer_from_state(booking).await {
                    return Ok(answer);
                }
            }
        }
        let service = payment.service.clone();
        Err(Rejection::Unavailable {
            service,
            retry_after_seconds: RETRY_AFTER_SECONDS,
        }
        .into())
    }

    async fn answer_from_state(&self, booking: &Entity<State>) -> Result<StoredAnswer, Failure> {
        let stored = self.repository.load(booking.correlation_id).await?;
        let answer = stored
            .entity()
            .and_then(|booking| self.answers.last(booking));
        answer.ok_or_else(|| in_flight().into())
    }

    fn claim(&self) -> ClaimChange {
        ClaimChange::Take {
            owner: self.process,
            hold_for: self.claim_time(),
        }
    }

    /// How long a claim is valid: longer than any call that its holder makes.
    pub(crate) fn claim_time(&self) -> Duration {
        self.authorizations
            .as_ref()
            .map_or(CLAIM_MARGIN, |payment| payment.timeout + CLAIM_MARGIN)
    }
}

const fn in_flight() -> Rejection {
    Rejection::InFlight {
        retry_after_seconds: RETRY_AFTER_SECONDS,
    }
}

fn failure(error: WriteError) -> Failure {
    match error {
        WriteError::Store(error) => error.into(),
        WriteError::Conflict | WriteError::Duplicate | WriteError::KeyTaken => in_flight().into(),
    }
}

/// Identifies a body: the SHA-1 name-based UUID (RFC 9562) of its members in the order of their
/// names, with numbers as they were sent.
fn fingerprint(body: &Object) -> String {
    let text = serde_json::to_vec(body).expect("JSON that was read can be written");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints as the first release wrote them next to its keys.
    const WRITTEN: [(&str, &str); 6] = [
        (
            r#"{"userName": "kim", "carId": "7"}"#,
            "9b984380-f2a7-5644-b9f0-5dc281d6bc61",
        ),
        (
            r#"{"carId":"7","userName":"kim"}"#,
            "9b984380-f2a7-5644-b9f0-5dc281d6bc61",
        ),
        (
            r#"{"price":50000,"b":[true,null,{"x":-5,"y":"1.10"}],"a":1}"#,
            "21b6c265-f649-5b8c-85a2-44e3f214a5c4",
        ),
        (
            r#"{"zero":0,"name":"caf\u00e9 \"\\\n\u0001\/\ud83d\ude00"}"#,
            "ea7f1402-8ecf-5fea-90cd-f9aa6fe05bf1",
        ),
        (
            r#"{"f":1.5,"g":-0.25,"h":18446744073709551615,"i":-9223372036854775808}"#,
            "c7b38f8b-e976-5c78-93de-d4c9236b8bf7",
        ),
        ("{}", "56bd00e8-9408-567f-b0cc-aab82ef285b4"),
    ];

    fn fingerprint_of(text: &str) -> String {
        fingerprint(&Object::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_body_keeps_the_fingerprint_that_was_written_for_it() {
        for (body, written) in WRITTEN {
            assert_eq!(fingerprint_of(body), written, "{body}");
        }
    }
    #[test]
    fn bodies_that_say_the_same_have_one_fingerprint() {
        let one = r#"{"a":{"x":[{"k":1,"l":"A"}],"y":2},"b":3}"#;
        let other = r#" {"b": 3, "a": {"y": 2, "x": [{"l": "\u0041", "k": 1}]}} "#;
        assert_eq!(fingerprint_of(one), fingerprint_of(other));
    }

    #[test]
    fn bodies_that_say_something_else_have_another() {
        for (one, other) in [
            ("12345678901234567890123", "12345678901234567890124"),
            ("9007199254740993", "9007199254740992"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("-0", "0"),
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("null", "\"\""),
        ] {
            let of = |value: &str| fingerprint_of(&format!("{{\"carId\":{value}}}"));
            assert_ne!(of(one), of(other), "{one} {other}");
        }
    }
}
