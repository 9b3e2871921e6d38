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

/// Decides for the first of several asked states that the present one allows; `decide` is the component's table.
pub fn decide_any<S: State>(
    words: &Words,
    current: S,
    asked: &[S],
    decide: impl Fn(S, S) -> Option<S>,
) -> Result<S, Rejection> {
    if asked.contains(&current) {
        return Ok(current);
    }
    asked
        .iter()
        .find_map(|target| decide(current, *target))
        .ok_or_else(|| {
            let wanted = asked.first().map_or("", |state| words.label(state.name()));
            let present = words.label(current.name());
            Rejection::Conflict(format!("it is {present:?} and cannot become {wanted:?}"))
        })
}
