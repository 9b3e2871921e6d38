//! Places a booking: commit it as pending, ask its participants outside any transaction, commit the
//! result, answer.
//!
//! Whoever holds the claim on a pending row settles it. Each of these commits is a step that
//! decides by the row as it is then; one that finds it settled by somebody else answers from its
//! state.

use std::sync::Arc;
use std::time::Duration;

use innkeeper_contracts::Snapshot;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::json::Object;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::{Decision, Stored};
use innkeeper_kit::store::{
    ClaimChange, KeyChange, KeyRow, Scope, Seen, StepInput, StoreError, StoredAnswer,
};
use innkeeper_kit::{CrashPoint, Failure, Rejection, request};
use innkeeper_runtime::problem::causes;
use innkeeper_runtime::resource::Creation;
use uuid::Uuid;

use crate::Bookings;
use crate::answer::Answers;
use crate::domain::State;
use crate::domain::placement::placed;
use crate::participants::{Question, Unavailable};

/// How much longer a claim is valid than a call may take.
const CLAIM_MARGIN: Duration = Duration::from_secs(2);

/// Seconds after which a client may try again, if its request is in flight or a participant was
/// unreachable.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What a POST wants.
struct Wanted {
    correlation_id: Uuid,
    snapshot: Result<Snapshot, Rejection>,
    currency: Option<String>,
    /// The idempotency key, and the fingerprint of the body.
    key: Option<(String, String)>,
    claim: ClaimChange,
}

/// What the first step of a POST comes to.
enum Begun {
    /// There is a final answer.
    Answered(StoredAnswer),
    /// The row is pending, and this request has the claim on it.
    Pending,
}

impl Bookings {
    /// Executes a POST: makes a new booking, or resumes the one that its key began.
    pub async fn place(&self, creation: Creation) -> Result<StoredAnswer, Failure> {
        match self.begin(&creation).await? {
            (_, Begun::Answered(answer)) => Ok(answer),
            (Stored::Entity(booking), Begun::Pending) => {
                self.crash.passed(CrashPoint::PendingCommitted);
                self.settle(booking, &creation).await
            }
            (Stored::Absent | Stored::Ended, Begun::Pending) => Err(in_flight().into()),
        }
    }

    async fn begin(&self, creation: &Creation) -> Result<(Stored<State>, Begun), Failure> {
        let snapshot = request::snapshot(&self.settings, &creation.body);
        let key = creation.key.clone();
        let wanted = Wanted {
            correlation_id: self.repository.next_correlation_id(),
            currency: self.settings.currency.clone(),
            key: key.map(|key| (key, fingerprint(&creation.body))),
            claim: self.claim(),
            snapshot,
        };
        let input = StepInput {
            principal: creation.request.principal.clone(),
            key: creation.key.clone(),
            may_insert: wanted.snapshot.is_ok(),
            ..StepInput::about(Scope::Nothing)
        };
        let answers = Arc::clone(&self.answers);
        let begun = self
            .repository
            .run(input, Cause::default(), move |stored, seen| {
                begin(&wanted, stored, seen, &answers)
            });
        Ok(begun.await?.done())
    }

    /// Settles a pending booking whose claim this request holds.
    async fn settle(
        &self,
        booking: Entity<State>,
        creation: &Creation,
    ) -> Result<StoredAnswer, Failure> {
        let (request, has_key) = (&creation.request, creation.key.is_some());
        let asked = self.participants.ask(&booking, Question::Prepare(request));
        let asked = match asked.await {
            Ok(asked) => asked,
            Err(error) => return self.give_up(error, &booking, has_key).await,
        };
        self.crash.passed(CrashPoint::Authorized);
        let decision = match asked.state {
            State::Pending => Decision::Keep,
            _ => Decision::Become(vec![asked]),
        };
        let decided = self.decide_claimed(&booking, request.cause(), has_key, decision);
        let (stored, answer) = decided.await?;
        self.crash.passed(CrashPoint::ConfirmedCommitted);
        answer.map_or_else(|| self.answer_of(&stored), Ok)
    }

    /// Releases the claim, so that a retry can resume at once, and answers that a participant is
    /// unavailable.
    async fn give_up(
        &self,
        error: Unavailable,
        booking: &Entity<State>,
        has_key: bool,
    ) -> Result<StoredAnswer, Failure> {
        tracing::warn!(story = %booking.correlation_id, error = causes(&error), "a booking stays pending");
        let release = Decision::Claim(Box::new(booking.clone()), ClaimChange::Release, None);
        let released = self.decide_claimed(booking, Cause::default(), has_key, release);
        match released.await {
            // Somebody else may have settled it meanwhile, for instance by a cancellation.
            Ok((stored, _)) => {
                if let Ok(answer) = self.answer_of(&stored) {
                    return Ok(answer);
                }
            }
            Err(error) => {
                tracing::debug!(error = causes(&error), "the claim runs out by itself");
            }
        }
        if error.is_deadline() {
            return Err(Rejection::DeadlineExceeded.into());
        }
        Err(Rejection::Unavailable {
            service: error.service,
            retry_after_seconds: RETRY_AFTER_SECONDS,
        }
        .into())
    }

    /// Stores what was decided about a pending booking unless somebody else has changed it since
    /// this process claimed it, and returns what is stored then, with the final answer for its
    /// idempotency key if that was decided now.
    pub(crate) async fn decide_claimed(
        &self,
        claimed: &Entity<State>,
        cause: Cause,
        has_key: bool,
        decision: Decision<State>,
    ) -> Result<(Stored<State>, Option<StoredAnswer>), Failure> {
        let input = StepInput::about(Scope::Saga(claimed.correlation_id));
        let version = claimed.version;
        let decided = self
            .repository
            .run_settling(input, cause, has_key, move |stored, _| {
                let decision = match stored.entity() {
                    Some(booking) if booking.version == version => decision.clone(),
                    _ => Decision::Keep,
                };
                Ok((decision, ()))
            });
        let (stored, (), answer) = decided.await?.done();
        Ok((stored, answer))
    }

    fn answer_of(&self, stored: &Stored<State>) -> Result<StoredAnswer, Failure> {
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

    /// How long a claim is valid: longer than all calls that its holder makes.
    pub(crate) fn claim_time(&self) -> Duration {
        self.participants.timeout() + CLAIM_MARGIN
    }
}

/// Makes a new pending booking, unless the key is known: then its final answer is replayed, or its
/// pending row taken over if nobody has a valid claim on it.
fn begin(
    wanted: &Wanted,
    stored: &Stored<State>,
    seen: &Seen,
    answers: &Answers,
) -> Result<(Decision<State>, Begun), Failure> {
    if let Some(known) = &seen.key {
        return resume(wanted, known, stored, seen, answers);
    }
    let snapshot = wanted.snapshot.clone()?;
    let id = seen.new_id.ok_or_else(unexpected_row)?;
    let currency = wanted.currency.as_deref();
    let booking = placed(id, wanted.correlation_id, snapshot, currency);
    let key = wanted
        .key
        .clone()
        .map(|(key, fingerprint)| KeyChange::Begin {
            key,
            fingerprint,
            correlation_id: wanted.correlation_id,
        });
    let decision = Decision::Claim(Box::new(booking), wanted.claim, key);
    Ok((decision, Begun::Pending))
}

fn resume(
    wanted: &Wanted,
    known: &KeyRow,
    stored: &Stored<State>,
    seen: &Seen,
    answers: &Answers,
) -> Result<(Decision<State>, Begun), Failure> {
    let fingerprint = wanted.key.as_ref().map(|(_, fingerprint)| fingerprint);
    if Some(&known.fingerprint) != fingerprint {
        let detail = "the idempotency key belongs to a request with another body";
        return Err(Rejection::invalid("", detail).into());
    }
    if let Some(answer) = &known.answer {
        return Ok((Decision::Keep, Begun::Answered(answer.clone())));
    }
    let is_claimed = seen.rows.iter().any(|row| {
        let claim = row.claim.as_ref();
        claim.is_some_and(|claim| claim.live)
    });
    let Some(booking) = stored.entity().filter(|_| !is_claimed) else {
        return Err(in_flight().into());
    };
    if let Some(answer) = answers.last(booking) {
        return Ok((Decision::Keep, Begun::Answered(answer)));
    }
    let decision = Decision::Claim(Box::new(booking.clone()), wanted.claim, None);
    Ok((decision, Begun::Pending))
}

const fn in_flight() -> Rejection {
    Rejection::InFlight {
        retry_after_seconds: RETRY_AFTER_SECONDS,
    }
}

/// A step about nothing that may insert is always given an id.
fn unexpected_row() -> StoreError {
    StoreError::Failed("a new booking was given no public id".into())
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
