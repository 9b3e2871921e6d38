//! Remarks about objects that a status mentions besides the state.

use std::fmt::Write as _;

use super::contested::Contest;
use super::managers::HeldFields;
use crate::verdict::{Reason, State, Verdict};

/// How many fields a message names at most.
const NAMED: usize = 8;

/// Remarks about the objects of an owner that its status mentions besides the state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notes {
    contested: Vec<String>,
    others: Vec<String>,
}

impl Notes {
    /// Notes that others change fields back again and again.
    pub fn add_contested(&mut self, what: &str, contests: &[Contest]) {
        let told = contests.iter().map(|Contest { field, manager }| {
            format!("{manager} changes {field} of {what} back again and again")
        });
        self.contested.extend(told);
    }

    /// Notes that others own fields.
    pub fn add_left_alone(&mut self, what: &str, held: &[HeldFields]) {
        let some = held.iter().filter(|it| !it.fields.is_empty());
        self.others
            .extend(some.map(|HeldFields { manager, fields }| {
                format!("{what} has fields of {manager}: {}", named(fields))
            }));
    }

    /// Notes that admission changed fields.
    pub fn add_altered(&mut self, what: &str, fields: &[String]) {
        if !fields.is_empty() {
            self.others.push(altered(what, fields));
        }
    }

    /// The verdict with the notes in its message. A contest stalls the owner, because somebody has
    /// to end it, unless the verdict is stalled already.
    pub fn told(&self, verdict: Verdict) -> Verdict {
        let message = self
            .others
            .iter()
            .fold(verdict.message.clone(), |mut message, note| {
                write!(message, "; {note}").expect("a String takes every text");
                message
            });
        if self.contested.is_empty() {
            return verdict.saying(message);
        }
        let contested = format!(
            "{}: stop it, or ask for the same in the platform's file; it is put back ever more seldom, at last every 5 minutes",
            self.contested.join(", ")
        );
        if verdict.state == State::Stalled {
            return verdict.saying(format!("{message}; {contested}"));
        }
        Verdict::stalled(Reason::Contested, format!("{contested}; {message}"))
    }
}

/// The text about fields that admission changed.
pub fn altered(what: &str, fields: &[String]) -> String {
    format!("admission changed {what}: {}", named(fields))
}

/// The text about fields that were restored.
pub fn put_back(what: &str, held: &[HeldFields]) -> String {
    let each: Vec<_> = held
        .iter()
        .map(|HeldFields { manager, fields }| format!("{} ({manager})", named(fields)))
        .collect();
    format!(
        "{what} had been changed and is as described again: {}",
        each.join(", ")
    )
}

/// A list of fields for messages, shortened if there are many.
pub fn named(fields: &[String]) -> String {
    let mut text = fields[..fields.len().min(NAMED)].join(", ");
    if let Some(more) = fields.len().checked_sub(NAMED).filter(|more| *more > 0) {
        write!(text, " and {more} more").expect("a String takes every text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Verdict {
        Verdict::ready(Reason::Ready, "ready with 1 of 1 pods")
    }

    fn contested() -> Notes {
        let mut notes = Notes::default();
        let contest = Contest {
            field: "spec.replicas".to_owned(),
            manager: "k9s".to_owned(),
        };
        notes.add_contested("Deployment pay", &[contest]);
        notes
    }

    #[test]
    fn changes_by_others_are_mentioned_besides_the_state() {
        let mut notes = Notes::default();
        assert_eq!(notes.told(ready()), ready());
        let held = HeldFields {
            manager: "k9s".to_owned(),
            fields: vec!["spec.a".to_owned()],
        };
        notes.add_left_alone("Deployment pay", &[held]);
        notes.add_altered("Service pay", &["spec.b".to_owned()]);
        let told = notes.told(ready());
        assert_eq!((told.state, told.reason), (State::Ready, Reason::Ready));
        assert_eq!(
            told.message,
            "ready with 1 of 1 pods; Deployment pay has fields of k9s: spec.a; admission changed Service pay: spec.b"
        );
    }

    #[test]
    fn a_contest_is_for_someone_to_end() {
        let told = contested().told(ready());
        assert_eq!(
            (told.state, told.reason),
            (State::Stalled, Reason::Contested)
        );
        assert_eq!(
            told.message,
            "k9s changes spec.replicas of Deployment pay back again and again: stop it, or ask for the same in the platform's file; it is put back ever more seldom, at last every 5 minutes; ready with 1 of 1 pods"
        );
    }

    #[test]
    fn a_contest_hides_nothing_worse() {
        let refused = Verdict::stalled(Reason::Refused, "Service pay is refused: no");
        let told = contested().told(refused);
        assert_eq!(told.reason, Reason::Refused);
        assert!(told.message.starts_with("Service pay is refused: no; k9s"));
    }

    #[test]
    fn many_fields_are_counted() {
        let fields: Vec<_> = (0..10).map(|field| format!("f{field}")).collect();
        assert_eq!(named(&fields), "f0, f1, f2, f3, f4, f5, f6, f7 and 2 more");
    }
}
