//! The state of an object with its reason, and the conditions that express it as kstatus expects.

use innkeeper_contracts::secret::masked;
use innkeeper_crds::{Condition, ConditionStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Longest message of a condition, in bytes.
const MESSAGE_LENGTH: usize = 8_192;

/// The condition that says whether an object is ready.
pub const READY: &str = "Ready";

/// The state of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The object is as described.
    Ready,
    /// The object is on its way and makes progress by itself.
    Reconciling,
    /// Somebody has to act.
    Stalled,
}

impl State {
    /// Every state there is.
    pub const ALL: [Self; 3] = [Self::Ready, Self::Reconciling, Self::Stalled];

    /// Name of the state in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
            Self::Stalled => "stalled",
        }
    }

    /// Type of the condition that is true in this state.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Ready => READY,
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

/// Why an object is in its state, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Everything is as described.
    Ready,
    /// Everything is as described, and the service is switched off.
    Off,
    /// New pods are on their way.
    Progressing,
    /// Some services are not ready.
    ServicesNotReady,
    /// A service that is called must be ready first.
    WaitingForCallee,
    /// The topic must be ready first.
    WaitingForTopic,
    /// Objects of a deleted owner with the same name must be gone first.
    WaitingForDeletion,
    /// A name belongs to somebody else.
    NameTaken,
    /// The specification is invalid.
    Invalid,
    /// The API server refuses an object.
    Refused,
    /// Somebody else changes an object back again and again.
    Contested,
    /// New pods do not become ready.
    RolloutStalled,
    /// The process of a pod ends again and again.
    CrashLoop,
    /// Somebody has paused the rollout.
    RolloutPaused,
    /// Somebody has scaled an autoscaled service to 0 pods.
    ScaledToZero,
    /// An autoscaler that is not ours changes a fixed number of pods.
    ScaledByAnother,
    /// The brokers do not answer.
    KafkaUnreachable,
    /// The brokers refuse a change.
    KafkaRefused,
    /// The topic cannot get the described number of partitions.
    PartitionsFixed,
    /// The topic cannot get the described number of replicas.
    ReplicationFixed,
    /// Somebody has deleted the topic with all its records.
    TopicLost,
    /// The topic could not be deleted with its object yet.
    DeletionFailed,
}

impl Reason {
    /// The reason as it appears in conditions and events.
    pub fn word(self) -> String {
        format!("{self:?}")
    }
}

/// The state of an object, with the reason and the remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    pub state: State,
    /// The reason, in one word.
    pub reason: Reason,
    /// The reason in a sentence, with the remedy.
    pub message: String,
}

impl Verdict {
    /// A verdict that the object is as described.
    pub fn ready(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Ready, reason, message)
    }

    /// A verdict that the object is on its way.
    pub fn reconciling(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Reconciling, reason, message)
    }

    /// A verdict that somebody has to act.
    pub fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(State::Stalled, reason, message)
    }

    /// The verdict with further lines in its message.
    #[must_use]
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        let lines = std::iter::once(self.message.clone()).chain(notes);
        let message = lines.collect::<Vec<_>>().join("\n");
        self.saying(message)
    }

    /// The verdict with another message.
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

/// The conditions for a verdict about one generation. A condition whose status has not changed
/// keeps its time.
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

/// Whether the condition of a state is true.
pub fn holds(conditions: &[Condition], state: State) -> bool {
    conditions.iter().any(|condition| {
        condition.kind == state.condition() && condition.status == ConditionStatus::True
    })
}

/// The instant in whole seconds, which is all that the API server keeps.
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
