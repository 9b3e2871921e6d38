//! How a platform stands, which is how its parts stand.

use super::Outcome;
use super::apply::{Child, Family};
use crate::domain_service::conditions::{refused, stopped};
use crate::verdict::{Reason, State, Verdict};

/// How a platform stands, why, and what to do.
pub(super) fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Invalid(refusals) => Verdict::stalled(Reason::Invalid, refusals.to_string()),
        Outcome::Stopped(obstacle) => stopped(obstacle),
        Outcome::Refused(it) => refused(it),
        Outcome::Applied(family) => of_family(family),
    }
}

fn of_family(family: &Family) -> Verdict {
    if family.topic.reason == Reason::TopicLost.word() {
        return Verdict::reconciling(Reason::TopicLost, family.topic.message.clone());
    }
    let parts = || std::iter::once(&family.topic).chain(&family.services);
    let stalled = told(parts().filter(|child| child.standing == Some(State::Stalled)));
    if !stalled.is_empty() {
        return Verdict::stalled(Reason::ServicesNotReady, stalled);
    }
    let waiting = told(parts().filter(|child| child.standing != Some(State::Ready)));
    if !family.withheld.is_empty() {
        let withheld = family.withheld.join(", ");
        let message = format!("{withheld} wait for the topic: {waiting}");
        return Verdict::reconciling(Reason::WaitingForTopic, message);
    }
    if !waiting.is_empty() {
        return Verdict::reconciling(Reason::ServicesNotReady, waiting);
    }
    Verdict::ready(Reason::Ready, ready(&family.services))
}

fn told<'a>(children: impl Iterator<Item = &'a Child>) -> String {
    let told: Vec<_> = children
        .map(|child| match child.standing {
            None => format!("{}: not looked at yet", child.name),
            Some(_) => format!("{}: {}: {}", child.name, child.reason, child.message),
        })
        .collect();
    told.join("\n")
}

fn ready(services: &[Child]) -> String {
    let off: Vec<_> = services
        .iter()
        .filter(|child| child.is_off())
        .map(|child| child.name.as_str())
        .collect();
    let (on, all) = (services.len() - off.len(), services.len());
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

    fn child(name: &str, standing: Option<State>, reason: Reason) -> Child {
        Child {
            name: name.to_owned(),
            standing,
            reason: reason.word(),
            message: "because".to_owned(),
        }
    }

    fn family(services: Vec<Child>) -> Family {
        Family {
            topic: child("rentcar", Some(State::Ready), Reason::Ready),
            topic_name: "default.rentcar".to_owned(),
            services,
            withheld: Vec::new(),
        }
    }

    #[test]
    fn a_platform_with_a_service_that_is_off_is_ready_and_names_it() {
        let verdict = of_family(&family(vec![
            child("pay", Some(State::Ready), Reason::Off),
            child("rent", Some(State::Ready), Reason::Ready),
        ]));
        assert_eq!(verdict.state, State::Ready);
        assert_eq!(
            verdict.message,
            "1 of 2 services are ready; switched off: pay"
        );
    }

    #[test]
    fn a_platform_stalls_with_any_of_its_services() {
        let verdict = of_family(&family(vec![
            child("pay", Some(State::Stalled), Reason::NameTaken),
            child("rent", None, Reason::Ready),
        ]));
        assert_eq!(verdict.state, State::Stalled);
        assert_eq!(verdict.message, "pay: NameTaken: because");
    }

    #[test]
    fn a_platform_tells_of_its_lost_topic_whatever_else_is_wrong() {
        let mut lost = family(vec![child("pay", Some(State::Stalled), Reason::NameTaken)]);
        lost.topic = child("rentcar", Some(State::Reconciling), Reason::TopicLost);
        let verdict = of_family(&lost);
        assert_eq!(verdict.state, State::Reconciling);
        assert_eq!(verdict.reason, Reason::TopicLost);
    }

    #[test]
    fn a_service_that_nobody_has_looked_at_is_not_ready() {
        let verdict = of_family(&family(vec![child("rent", None, Reason::Ready)]));
        assert_eq!(verdict.state, State::Reconciling);
        assert_eq!(verdict.message, "rent: not looked at yet");
    }

    #[test]
    fn services_are_withheld_until_the_topic_is_ready() {
        let mut waiting = family(Vec::new());
        waiting.topic = child(
            "rentcar",
            Some(State::Reconciling),
            Reason::KafkaUnreachable,
        );
        waiting.withheld = vec!["pay".to_owned()];
        let verdict = of_family(&waiting);
        assert_eq!(verdict.reason, Reason::WaitingForTopic);
        assert!(verdict.message.contains("KafkaUnreachable"));
    }
}
