//! The examples, from their files to their expansions.

use innkeeper_plan::{Executor, Expansion, Facts, expand, validate};

use super::fixtures::{cluster, example_of, local, only_platform, plain_yaml};

fn expanded(name: &str, executor: &Executor) -> Expansion {
    let file = only_platform(&example_of(name)).expect("nothing is refused");
    let platform = validate(&file.platform, executor).expect("nothing is refused");
    expand(&platform, executor, &Facts::default())
}

fn yaml(expansion: &Expansion) -> String {
    let topic = plain_yaml(&expansion.topic);
    let services = expansion.services.iter().map(plain_yaml);
    std::iter::once(topic)
        .chain(services)
        .collect::<Vec<_>>()
        .join("---\n")
}

fn all_settings(expansion: &Expansion) -> String {
    let settings: Vec<_> = expansion
        .services
        .iter()
        .map(|it| &it.spec.settings)
        .collect();
    serde_json::to_string_pretty(&settings).expect("plain data")
}

#[test]
fn rentcar_expands_to_these_objects_on_a_cluster() {
    insta::assert_snapshot!(yaml(&expanded("rentcar", &cluster())));
}

#[test]
fn rentcar_expands_to_these_settings_on_a_cluster() {
    insta::assert_snapshot!(all_settings(&expanded("rentcar", &cluster())));
}

#[test]
fn rentcar_expands_to_these_settings_on_this_machine() {
    insta::assert_snapshot!(all_settings(&expanded("rentcar", &local())));
}

#[test]
fn burgerqueen_expands_to_these_objects_on_a_cluster() {
    insta::assert_snapshot!(yaml(&expanded("burgerqueen", &cluster())));
}

#[test]
fn burgerqueen_expands_to_these_settings_on_this_machine() {
    insta::assert_snapshot!(all_settings(&expanded("burgerqueen", &local())));
}
