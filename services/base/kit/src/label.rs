//! Labels as commands: what `{"status": "canceled"}` in a PATCH asks for.

use innkeeper_contracts::{Field, Words};

use crate::entity::State;
use crate::json::Object;
use crate::rejection::{Rejection, pointer_to};
use crate::request::found;

/// A component's table: the states that lead from one to another; empty from a state to itself, `None` where there is no way.
pub type Table<S> = fn(current: S, target: S) -> Option<&'static [S]>;

/// What a PATCH asks for: to be in one of the states that share its label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked<S>(Vec<S>);

impl<S: PartialEq> Asked<S> {
    /// Whether a row in this state already is as asked.
    pub fn allows(&self, state: &S) -> bool {
        self.0.contains(state)
    }
}

/// Reads the label of a PATCH: the one thing in it that can change a row.
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

/// The labels of states, each once.
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

/// The states that lead to what is asked for; empty where nothing is left to do. Of several asked states the first that can be reached counts.
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
