//! Which state a platform is in, and why. It follows from the states of its children.

use super::children::{Child, Children};
use super::outcome::PlatformOutcome;
use crate::verdict::{Reason, State, Verdict};

/// The state of a platform, the reason and the remedy.
pub fn verdict(outcome: &PlatformOutcome) -> Verdict {
    match outcome {
        PlatformOutcome::Invalid(refusals) => {
            Verdict::stalled(Reason::Invalid, refusals.to_string())
        }
        PlatformOutcome::Stopped(obstacle) => obstacle.verdict(),
        PlatformOutcome::Refused(refused) => refused.verdict(),
        PlatformOutcome::Applied(children, _) => of_children(children),
    }
}

fn of_children(children: &Children) -> Verdict {
    let present = || children.present.iter();
    if let Some(lost) = present().find(|it| it.reason == Reason::TopicLost.word()) {
        return Verdict::reconciling(Reason::TopicLost, lost.message.clone());
    }
    let stalled = told(present().filter(|child| child.state == Some(State::Stalled)));
    if !stalled.is_empty() {
        return Verdict::stalled(Reason::ServicesNotReady, stalled);
    }
    let waiting = told(present().filter(|child| child.state != Some(State::Ready)));
    if !children.withheld.is_empty() {
        let withheld = children.withheld.join(", ");
        let message = format!("{withheld} wait for the topic: {waiting}");
        return Verdict::reconciling(Reason::WaitingForTopic, message);
    }
    if !waiting.is_empty() {
        return Verdict::reconciling(Reason::ServicesNotReady, waiting);
    }
    Verdict::ready(Reason::Ready, ready(children.services()))
}

fn told<'a>(children: impl Iterator<Item = &'a Child>) -> String {
    let told: Vec<_> = children
        .map(|child| match child.state {
            None => format!("{}: not looked at yet", child.name),
            Some(_) => format!("{}: {}: {}", child.name, child.reason, child.message),
        })
        .collect();
    told.join("\n")
}

fn ready<'a>(services: impl Iterator<Item = &'a Child>) -> String {
    let (off, on): (Vec<_>, Vec<_>) = services.partition(|child| child.is_off());
    let off: Vec<_> = off.iter().map(|child| child.name.as_str()).collect();
    let (on, all) = (on.len(), on.len() + off.len());
    match off.as_slice() {
        [] => format!("{on} of {all} services are ready"),
        off => format!(
            "{on} of {all} services are ready; switched off: {}",
            off.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(name: &str, state: Option<State>, reason: Reason) -> Child {
        Child {
            kind: "DomainService".to_owned(),
            name: name.to_owned(),
            state,
            reason: reason.word(),
            message: "because".to_owned(),
        }
    }

    fn topic(state: State, reason: Reason) -> Child {
        Child {
            kind: "EventTopic".to_owned(),
            ..child("rentcar", Some(state), reason)
        }
    }

    fn verdict_on(topic: Child, services: Vec<Child>, withheld: &[&str]) -> Verdict {
        let mut present = vec![topic];
        present.extend(services);
        of_children(&Children {
            present,
            withheld: withheld.iter().map(|it| (*it).to_owned()).collect(),
        })
    }

    fn with_ready_topic(services: Vec<Child>) -> Verdict {
        verdict_on(topic(State::Ready, Reason::Ready), services, &[])
    }

    #[test]
    fn a_platform_with_a_service_that_is_off_is_ready_and_names_it() {
        let verdict = with_ready_topic(vec![
            child("pay", Some(State::Ready), Reason::Off),
            child("rent", Some(State::Ready), Reason::Ready),
        ]);
        assert_eq!(verdict.state, State::Ready);
        assert_eq!(
            verdict.message,
            "1 of 2 services are ready; switched off: pay"
        );
    }

    #[test]
    fn a_platform_stalls_with_any_of_its_services() {
        let verdict = with_ready_topic(vec![
            child("pay", Some(State::Stalled), Reason::NameTaken),
            child("rent", None, Reason::Ready),
        ]);
        assert_eq!(verdict.state, State::Stalled);
        assert_eq!(verdict.message, "pay: NameTaken: because");
    }

    #[test]
    fn a_platform_mentions_its_lost_topic_whatever_else_is_wrong() {
        let stalled = child("pay", Some(State::Stalled), Reason::NameTaken);
        let lost = topic(State::Reconciling, Reason::TopicLost);
        let verdict = verdict_on(lost, vec![stalled], &[]);
        assert_eq!(verdict.state, State::Reconciling);
        assert_eq!(verdict.reason, Reason::TopicLost);
    }

    #[test]
    fn a_service_that_nobody_has_looked_at_is_not_ready() {
        let verdict = with_ready_topic(vec![child("rent", None, Reason::Ready)]);
        assert_eq!(verdict.state, State::Reconciling);
        assert_eq!(verdict.message, "rent: not looked at yet");
    }

    #[test]
    fn services_are_withheld_until_the_topic_is_ready() {
        let away = topic(State::Reconciling, Reason::KafkaUnreachable);
        let verdict = verdict_on(away, Vec::new(), &["pay"]);
        assert_eq!(verdict.reason, Reason::WaitingForTopic);
        assert!(verdict.message.contains("KafkaUnreachable"));
    }
}
