//! The example, from its file to what it asks for.

use innkeeper_plan::{Executor, Expansion, Facts, expand, validate};

use super::fixtures::{cluster, example, local, only_platform, plain_yaml};

fn expanded(executor: &Executor) -> Expansion {
    let file = only_platform(&example()).expect("nothing is refused");
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
    insta::assert_snapshot!(yaml(&expanded(&cluster())));
}

#[test]
fn rentcar_expands_to_these_settings_on_a_cluster() {
    insta::assert_snapshot!(all_settings(&expanded(&cluster())));
}

#[test]
fn rentcar_expands_to_these_settings_on_this_machine() {
    insta::assert_snapshot!(all_settings(&expanded(&local())));
}
