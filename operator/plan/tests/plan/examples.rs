//! The example, from its file to what it asks for.

use innkeeper_plan::{Executor, Expansion, expand, settings, validate};

use super::fixtures::{cluster, example, local, only_platform};

fn expanded(executor: &Executor) -> Expansion {
    let file = only_platform(&example()).expect("nothing is refused");
    let platform = validate(&file.platform, executor).expect("nothing is refused");
    expand(&platform, executor)
}

fn yaml(expansion: &Expansion) -> String {
    let topic = serde_yaml::to_string(&expansion.topic).expect("plain data");
    let services = expansion
        .services
        .iter()
        .map(|service| serde_yaml::to_string(service).expect("plain data"));
    std::iter::once(topic)
        .chain(services)
        .collect::<Vec<_>>()
        .join("---\n")
}

fn all_settings(expansion: &Expansion) -> String {
    let settings: Vec<_> = expansion.services.iter().map(settings).collect();
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
