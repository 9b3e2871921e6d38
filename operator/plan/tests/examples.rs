//! Every example, from its file to what it asks for.

use std::fs;
use std::path::{Path, PathBuf};

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_plan::{
    ClusterDefaults, Executor, Expansion, LocalDefaults, expand, read, settings, validate,
};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn cluster() -> Executor {
    Executor::Cluster(ClusterDefaults {
        bootstrap_servers: Some("kafka.messaging:9092".to_owned()),
        database: Some(Postgres {
            host: "postgres.data".to_owned(),
            port: 5432,
            database: "innkeeper".to_owned(),
            secret_ref: SecretRef {
                name: "innkeeper-database".to_owned(),
            },
        }),
        image: "registry.example/innkeeper:1.0.0".to_owned(),
    })
}

fn local() -> Executor {
    Executor::Local(LocalDefaults {
        data: PathBuf::from(".innkeeper/example"),
        ..LocalDefaults::default()
    })
}

fn expanded(file: &str, executor: &Executor) -> Expansion {
    let text = fs::read_to_string(examples().join(file)).expect("the example is there");
    let contents = read(&text).unwrap_or_else(|refusals| panic!("{refusals}"));
    let platform = validate(&contents.platforms[0].platform, executor)
        .unwrap_or_else(|refusals| panic!("{refusals}"));
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

#[test]
fn rentcar_expands_to_these_objects_on_a_cluster() {
    insta::assert_snapshot!(yaml(&expanded("rentcar.yaml", &cluster())));
}

#[test]
fn rentcar_expands_to_these_settings_on_a_cluster() {
    let expansion = expanded("rentcar.yaml", &cluster());
    let settings: Vec<_> = expansion.services.iter().map(settings).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&settings).expect("plain data"));
}

#[test]
fn rentcar_expands_to_these_settings_on_this_machine() {
    let expansion = expanded("rentcar.yaml", &local());
    let settings: Vec<_> = expansion.services.iter().map(settings).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&settings).expect("plain data"));
}
