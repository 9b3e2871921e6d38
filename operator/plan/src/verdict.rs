//! How an object stands, and the conditions that say so the way kstatus reads them.

use innkeeper_contracts::secret::masked;
use innkeeper_crds::{Condition, ConditionStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Longest message of a condition, in bytes.
const MESSAGE_LENGTH: usize = 8_192;

/// The condition that says whether an object is as it should be.
pub const READY: &str = "Ready";

/// How an object stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// As it should be.
    Ready,
    /// On its way; it goes on by itself.
    Reconciling,
    /// Someone has to do something.
    Stalled,
}

impl State {
    /// Every state there is.
    pub const ALL: [Self; 3] = [Self::Ready, Self::Reconciling, Self::Stalled];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
            Self::Stalled => "stalled",
        }
    }

    /// The type of the condition that holds in it.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Ready => READY,
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

/// Why an object stands as it does, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// All is as described.
    Ready,
    /// All is as described, which is: switched off.
    Off,
    /// New pods are on their way.
    Progressing,
    /// Some services are not ready.
    ServicesNotReady,
    /// A service that is called must be ready first.
    WaitingForCallee,
    /// The topic must be ready first.
    WaitingForTopic,
    /// Objects of a former owner of the same name must be gone first.
    WaitingForDeletion,
    /// A name belongs to someone else.
    NameTaken,
    /// What is asked for makes no sense.
    Invalid,
    /// The API server refuses an object.
    Refused,
    /// Someone else changes an object back again and again.
    Contested,
    /// New pods do not become ready.
    RolloutStalled,
    /// Somebody paused the rollout.
    RolloutPaused,
    /// Somebody scaled an autoscaled service to no pods.
    ScaledToZero,
    /// An autoscaler of somebody else changes a number of pods that is fixed.
    ScaledByAnother,
    /// The brokers do not answer.
    KafkaUnreachable,
    /// The brokers refuse a change.
    KafkaRefused,
    /// The topic's partitions cannot become as many as asked for.
    PartitionsFixed,
    /// The topic's replicas cannot become as many as asked for.
    ReplicationFixed,
    /// Someone else deleted the topic with all its records.
    TopicLost,
    /// The topic could not be deleted with its object yet.
    DeletionFailed,
}

impl Reason {
    /// The word itself.
    pub fn word(self) -> String {
        format!("{self:?}")
    }
}

/// How an object stands, why, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// How it stands.
    pub state: State,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, in a sentence that says what to do.
    pub message: String,
}

impl Verdict {
    /// As it should be.
    pub fn ready(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Ready, reason, message)
    }

    /// On its way.
    pub fn reconciling(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Reconciling, reason, message)
    }

    /// Waiting for someone to do something.
    pub fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Stalled, reason, message)
    }

    /// With further lines that change nothing about how it stands.
    #[must_use]
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        let lines = std::iter::once(self.message.clone()).chain(notes);
        let message = lines.collect::<Vec<_>>().join("\n");
        self.saying(message)
    }

    /// The same, said in other words.
    #[must_use]
    pub fn saying(self, message: impl Into<String>) -> Self {
        Self::new(self.state, self.reason, message)
    }

    fn new(state: State, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            state,
            reason,
            message: bounded(masked(&message.into()).into_owned()),
        }
    }
}

/// The conditions that say a verdict about one generation. What has not changed keeps the instant of its last change.
pub fn conditions(
    verdict: &Verdict,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    State::ALL
        .into_iter()
        .map(|state| {
            let kind = state.condition();
            let holds = verdict.state == state;
            let status = if holds {
                ConditionStatus::True
            } else {
                ConditionStatus::False
            };
            let unchanged = before
                .iter()
                .find(|condition| condition.kind == kind && condition.status == status);
            Condition {
                kind: kind.to_owned(),
                status,
                reason: verdict.reason.word(),
                message: if holds || kind == READY {
                    verdict.message.clone()
                } else {
                    String::new()
                },
                last_transition_time: unchanged
                    .map_or(Time(to_seconds(now)), |it| it.last_transition_time.clone()),
                observed_generation: generation,
            }
        })
        .collect()
}

/// The condition that says whether an object is ready.
pub fn ready_condition(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.kind == READY)
}

/// Whether the condition of a state holds.
pub fn holds(conditions: &[Condition], state: State) -> bool {
    conditions.iter().any(|condition| {
        condition.kind == state.condition() && condition.status == ConditionStatus::True
    })
}

/// The API server keeps whole seconds.
fn to_seconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_LENGTH {
        let end = message.floor_char_boundary(MESSAGE_LENGTH);
        message.truncate(end);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn statuses(conditions: &[Condition]) -> Vec<(&str, ConditionStatus)> {
        conditions
            .iter()
            .map(|condition| (condition.kind.as_str(), condition.status))
            .collect()
    }

    #[test]
    fn exactly_the_condition_of_the_state_holds() {
        let waiting = Verdict::reconciling(Reason::WaitingForCallee, "waits for pay");
        assert_eq!(
            statuses(&conditions(&waiting, Some(3), &[], at(1))),
            [
                ("Ready", ConditionStatus::False),
                ("Reconciling", ConditionStatus::True),
                ("Stalled", ConditionStatus::False),
            ]
        );
    }

    #[test]
    fn only_a_changed_status_gets_a_new_instant() {
        let waiting = Verdict::reconciling(Reason::Progressing, "1 of 2 pods is ready");
        let ready = Verdict::ready(Reason::Ready, "2 of 2 pods are ready");
        let first = conditions(&waiting, Some(1), &[], at(1));
        assert_eq!(conditions(&waiting, Some(1), &first, at(9)), first);
        let second = conditions(&ready, Some(1), &first, at(9));
        let instants: Vec<_> = second
            .iter()
            .map(|condition| condition.last_transition_time.0)
            .collect();
        assert_eq!(instants, [at(9), at(9), at(1)]);
    }

    #[test]
    fn no_message_shows_a_password() {
        let why = "no broker at kim:s3cret@kafka:9092 answers";
        let verdict = Verdict::reconciling(Reason::KafkaUnreachable, why);
        assert_eq!(verdict.message, "no broker at ***@kafka:9092 answers");
        let condition = &conditions(&verdict, Some(1), &[], at(1))[0];
        assert_eq!(condition.message, verdict.message);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let verdict = Verdict::stalled(Reason::Invalid, "ä".repeat(MESSAGE_LENGTH));
        assert_eq!(verdict.message.len(), MESSAGE_LENGTH);
        let verdict = Verdict::stalled(Reason::Invalid, format!("x{}", "ä".repeat(5_000)));
        assert_eq!(verdict.message.len(), MESSAGE_LENGTH - 1);
    }
}
