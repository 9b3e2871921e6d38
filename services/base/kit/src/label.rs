//! Status labels as commands, such as `{"status": "canceled"}` in a PATCH.

use innkeeper_contracts::{Field, Words};

use crate::entity::State;
use crate::json::Object;
use crate::rejection::{Rejection, pointer_to};
use crate::request::found;

/// A component's transition table: the states on the way from `current` to `target`, which is empty
/// if they are the same; `None` if the state does not allow it.
pub type Table<S> = fn(current: S, target: S) -> Option<&'static [S]>;

/// What a PATCH asks for: that the row be in one of the states with its label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked<S>(Vec<S>);

impl<S: PartialEq> Asked<S> {
    /// Whether a row in this state is already as asked.
    pub fn allows(&self, state: &S) -> bool {
        self.0.contains(state)
    }
}

/// Reads the label of a PATCH, which is the only member that can change a row. Refuses an unknown
/// label, and a PATCH without one.
pub fn asked<S: State>(
    words: &Words,
    change: &Object,
    table: Table<S>,
) -> Result<Asked<S>, Rejection> {
    let Some((name, value)) = found(words, change, Field::Status) else {
        return Err(changes_nothing(words, table));
    };
    let Some(label) = value.text() else {
        return Err(Rejection::invalid(pointer_to(name), "must be a string"));
    };
    let states = S::ALL.iter().copied();
    let states: Vec<S> = states
        .filter(|state| words.label(state.name()) == label)
        .collect();
    if states.is_empty() {
        let known = labels(words, S::ALL.iter().copied());
        let detail = format!("{label:?} is unknown; the labels are {known}");
        return Err(Rejection::invalid(pointer_to(name), detail));
    }
    Ok(Asked(states))
}

fn changes_nothing<S: State>(words: &Words, table: Table<S>) -> Rejection {
    let leads = |current: &S, target| table(*current, target).is_some_and(|way| !way.is_empty());
    let commands = S::ALL
        .iter()
        .copied()
        .filter(|target| S::ALL.iter().any(|current| leads(current, *target)));
    let detail = format!(
        "names nothing that can be changed; what can be is {}, to one of {}",
        words.field(Field::Status),
        labels(words, commands)
    );
    Rejection::invalid("", detail)
}

/// The labels of states, without repetitions.
fn labels<S: State>(words: &Words, states: impl Iterator<Item = S>) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for state in states {
        let label = words.label(state.name());
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.join(", ")
}

/// The states that lead to what is asked for; empty if the row is already there. If several states
/// have the label, the first that can be reached counts.
pub fn path_to<S: State>(
    words: &Words,
    current: S,
    asked: &Asked<S>,
    table: Table<S>,
) -> Result<&'static [S], Rejection> {
    if asked.allows(&current) {
        return Ok(&[]);
    }
    let Asked(states) = asked;
    states
        .iter()
        .find_map(|target| table(current, *target))
        .ok_or_else(|| {
            let wanted = states.first().map_or("", |state| words.label(state.name()));
            let present = words.label(current.name());
            Rejection::Conflict(format!("it is {present:?} and cannot become {wanted:?}"))
        })
}
