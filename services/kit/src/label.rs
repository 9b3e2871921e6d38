//! Labels as commands: what `{"status": "canceled"}` in a PATCH asks for.

use innkeeper_contracts::{Field, Words};
use serde_json::{Map, Value};

use crate::entity::State;
use crate::rejection::Rejection;

/// What a PATCH asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asked<S> {
    /// Nothing: it has no label.
    Nothing,
    /// To be in one of the states that share the label.
    OneOf(Vec<S>),
}

impl<S: Copy + PartialEq> Asked<S> {
    /// Whether a row in this state already is as asked.
    pub fn allows(&self, state: S) -> bool {
        match self {
            Self::Nothing => true,
            Self::OneOf(states) => states.contains(&state),
        }
    }
}

/// Reads the label of a PATCH.
pub fn asked<S: State>(words: &Words, change: &Map<String, Value>) -> Result<Asked<S>, Rejection> {
    let field = words.field(Field::Status);
    match change.get(field) {
        None | Some(Value::Null) => Ok(Asked::Nothing),
        Some(Value::String(label)) => states_of(words, label).map(Asked::OneOf),
        Some(_) => Err(Rejection::invalid(format!("/{field}"), "must be a string")),
    }
}

fn states_of<S: State>(words: &Words, label: &str) -> Result<Vec<S>, Rejection> {
    let states: Vec<S> = S::ALL
        .iter()
        .copied()
        .filter(|state| words.label(state.name()) == label)
        .collect();
    if states.is_empty() {
        Err(unknown::<S>(words, label))
    } else {
        Ok(states)
    }
}

fn unknown<S: State>(words: &Words, label: &str) -> Rejection {
    let mut known: Vec<&str> = S::ALL
        .iter()
        .map(|state| words.label(state.name()))
        .collect();
    known.dedup();
    let pointer = format!("/{}", words.field(Field::Status));
    Rejection::invalid(
        pointer,
        format!("{label:?} is unknown; the labels are {}", known.join(", ")),
    )
}

/// The states that lead to what is asked for; empty where nothing is left to do. `path` is the component's table: the way from the present
/// state to one that is asked for, or `None` where there is none. Of several asked states the first that can be reached counts.
pub fn path_to<S: State>(
    words: &Words,
    current: S,
    asked: &Asked<S>,
    path: impl Fn(S) -> Option<&'static [S]>,
) -> Result<&'static [S], Rejection> {
    let states = match asked {
        Asked::Nothing => return Ok(&[]),
        Asked::OneOf(states) if states.contains(&current) => return Ok(&[]),
        Asked::OneOf(states) => states,
    };
    states
        .iter()
        .find_map(|target| path(*target))
        .ok_or_else(|| {
            let wanted = states.first().map_or("", |state| words.label(state.name()));
            let present = words.label(current.name());
            Rejection::Conflict(format!("it is {present:?} and cannot become {wanted:?}"))
        })
}
