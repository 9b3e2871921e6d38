//! The example, and executors to run it.

use std::fs;
use std::path::{Path, PathBuf};

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_plan::{ClusterDefaults, Executor, LocalDefaults, PlatformFile, Refusals, read};
use serde::Serialize;

/// The example of a car rental.
pub fn example() -> String {
    example_of("rentcar")
}

/// The example of this name.
pub fn example_of(name: &str) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let file = examples.join(format!("{name}.yaml"));
    fs::read_to_string(file).expect("the example is there")
}

/// A platform with two services of each component.
pub const TWO_OF_EACH: &str = include_str!("two_of_each.yaml");

/// The example with one text replaced by another.
pub fn example_with(found: &str, instead: &str) -> String {
    let example = example();
    assert_eq!(example.matches(found).count(), 1, "{found}");
    example.replace(found, instead)
}

/// The example without what only images of this release know.
pub fn example_for_any_image() -> String {
    example_with(", cors: { allowOrigins: [\"*\"] }", "")
}

pub fn cluster_defaults() -> ClusterDefaults {
    ClusterDefaults {
        bootstrap_servers: Some("kafka.messaging:9092".to_owned()),
        kafka: KafkaSecurity::default(),
        database: Some(Postgres {
            host: "postgres.data".to_owned(),
            port: 5432,
            database: "innkeeper".to_owned(),
            secret_ref: SecretRef {
                name: "innkeeper-database".to_owned(),
            },
            tls: None,
        }),
        image: "registry.example/innkeeper:1.0.0".to_owned(),
    }
}

pub fn cluster() -> Executor {
    Executor::Cluster(cluster_defaults())
}

pub fn local() -> Executor {
    Executor::Local(LocalDefaults {
        data: PathBuf::from(".innkeeper/rentcar"),
        ..LocalDefaults::default()
    })
}

pub fn only_platform(text: &str) -> Result<PlatformFile, Refusals> {
    Ok(read(text)?.platforms.remove(0))
}

/// An object as `kubectl` shows it. Serializing it directly to YAML would write enum variants as
/// tags.
pub fn plain_yaml<T: Serialize>(object: &T) -> String {
    let plain = serde_json::to_value(object).expect("plain data");
    serde_yaml::to_string(&plain).expect("plain data")
}
