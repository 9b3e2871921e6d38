//! Holds the commands that a component declares to its transition table.

use std::collections::BTreeMap;

use innkeeper_contracts::Words;
use innkeeper_contracts::commands::Commands;
use innkeeper_contracts::words::Field;
use innkeeper_kit::State;
use innkeeper_kit::json::Object;
use innkeeper_kit::label::{Table, asked, path_to};

/// Asserts that the declared commands are those of the table: for every state and target, and for
/// every label, whichever of the states share one.
pub fn assert_agree<S: State>(commands: &Commands, table: Table<S>) {
    let names: Vec<&str> = S::ALL.iter().map(|state| state.name()).collect();
    assert_eq!(commands.states, names);
    for state in S::ALL.iter().copied() {
        for target in S::ALL.iter().copied() {
            let leads = table(state, target).is_some_and(|path| !path.is_empty());
            let (from, to) = (state.name(), target.name());
            let all = commands.all.iter();
            let declared = all.filter(|it| it.from.contains(&from) && it.to.contains(&to));
            assert_eq!(declared.count(), usize::from(leads), "{from} to {to}");
        }
    }
    for words in labellings(&names) {
        for state in S::ALL.iter().copied() {
            for target in &names {
                assert_agree_on_label(commands, table, &words, state, words.label(target));
            }
        }
    }
}

fn assert_agree_on_label<S: State>(
    commands: &Commands,
    table: Table<S>,
    words: &Words,
    state: S,
    label: &str,
) {
    let status = Field::Status.name();
    let body = Object::read(format!("{{{status:?}: {label:?}}}").as_bytes()).unwrap();
    let asked = asked(words, &body, table).unwrap();
    let path = path_to(words, state, &asked, table).unwrap_or_default();
    let end = path.last().map(|end| end.name());
    let given = commands.given(words, state.name(), label);
    let agrees = match (given, end) {
        (Some(command), Some(end)) => command.to.contains(&end),
        (None, None) => true,
        _ => false,
    };
    assert!(agrees, "{label} of {words:?}: {given:?} leads to {end:?}");
}

/// Every way to give each state its own name, the next state's name, or one that all may share.
fn labellings(states: &[&str]) -> Vec<Words> {
    let mut all = vec![BTreeMap::new()];
    for (index, state) in states.iter().copied().enumerate() {
        let next = states[(index + 1) % states.len()];
        let with = |labels: &BTreeMap<String, String>, label: &str| {
            let mut labels = labels.clone();
            labels.insert(state.to_owned(), label.to_owned());
            labels
        };
        all = all
            .iter()
            .flat_map(|labels| [labels.clone(), with(labels, next), with(labels, "shared")])
            .collect();
    }
    let words = |statuses| Words {
        statuses,
        ..Words::default()
    };
    all.into_iter().map(words).collect()
}
