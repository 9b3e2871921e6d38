//! The chart and this command must agree on arguments and permissions.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use innkeeper_contracts::settings::TlsMode;
use innkeeper_crds::kafka::KafkaSecurity;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::*;

fn repository_file(path: &str) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(repository.join(path)).unwrap()
}

/// The options with which the operator of a rendered chart starts.
fn options_of(case: &str) -> Options {
    let rendered = repository_file(&format!("charts/tests/rendered/{case}/rendered.yaml"));
    let deployment = serde_yaml::Deserializer::from_str(&rendered)
        .map(|document| Value::deserialize(document).unwrap())
        .find(|object| object["kind"] == "Deployment")
        .unwrap();
    let words = deployment.pointer("/spec/template/spec/containers/0/args");
    let words: Vec<String> = serde_json::from_value(words.unwrap().clone()).unwrap();
    let line = std::iter::once("innkeeper".to_owned()).chain(words);
    match crate::Arguments::try_parse_from(line).unwrap().command {
        crate::Command::Operator(arguments) => arguments.options(),
        _ => panic!("the chart starts another command"),
    }
}

#[test]
fn the_charts_values_reach_the_operator() {
    let options = options_of("everything");
    assert_eq!(options.scope, Scope::Cluster);
    assert_eq!(options.listen.port(), 9090);
    assert_eq!(
        options.defaults.image,
        "registry.example:5000/innkeeper:0.2.0-rc.1"
    );
    assert_eq!(
        options.defaults.bootstrap_servers.as_deref(),
        Some("kafka-0:9092,kafka-1:9092")
    );
    let postgres = options.defaults.database.unwrap();
    assert_eq!(
        (postgres.host.as_str(), postgres.port),
        ("db.example", 6432)
    );
    assert_eq!(
        (
            postgres.database.as_str(),
            postgres.secret_ref.name.as_str()
        ),
        ("booking: eu", "db")
    );
    let tls = postgres.tls.unwrap();
    assert_eq!(tls.mode, TlsMode::VerifyFull);
    let authority = tls.secrets.ca_secret_ref.unwrap();
    assert_eq!(
        (authority.name.as_str(), authority.key.as_str()),
        ("db-ca", "root.pem")
    );
    assert_eq!(tls.secrets.client_secret_ref.unwrap().name, "db-client");
    assert_eq!(options.platforms_at_once, 3);
    let standby = options.standby.unwrap();
    assert_eq!(standby.namespace, "$(POD_NAMESPACE)");
    assert_eq!(
        (standby.lease.as_str(), standby.identity.as_str()),
        ("innkeeper", "$(POD_NAME)")
    );
}

#[test]
fn the_charts_kafka_reaches_the_operator() {
    let options = options_of("everything");
    let expected = json!({
        "tls": {
            "mode": "VerifyFull",
            "caSecretRef": { "name": "kafka-ca", "key": "root.pem" },
            "clientSecretRef": { "name": "kafka-client" },
        },
        "sasl": { "mechanism": "SCRAM-SHA-512", "secretRef": { "name": "kafka" } },
    });
    let kafka = serde_json::to_value(options.defaults.kafka).unwrap();
    assert_eq!(kafka, expected);
    let folder = "/etc/innkeeper/kafka";
    let expected = json!([
        {
            "bootstrapServers": "kafka-0:9092,kafka-1:9092",
            "tls": {
                "mode": "VerifyCa",
                "caFile": format!("{folder}/0/ca/ca.crt"),
                "clientCertificateDir": format!("{folder}/0/client"),
            },
            "sasl": { "mechanism": "SCRAM-SHA-256", "credentialsDir": format!("{folder}/0/sasl") },
        },
        { "bootstrapServers": "other:9093", "tls": { "mode": "Require" } },
        {
            "bootstrapServers": "third:9094",
            "sasl": { "mechanism": "PLAIN", "credentialsDir": format!("{folder}/2/sasl") },
        },
    ]);
    let clusters = serde_json::to_value(options.kafka_clusters).unwrap();
    assert_eq!(clusters, expected);
}

#[test]
fn a_chart_without_values_brings_no_defaults() {
    let options = options_of("default");
    assert!(options.kafka_clusters.is_empty());
    assert_eq!(options.defaults.kafka, KafkaSecurity::default());
    assert_eq!(options.defaults.bootstrap_servers, None);
    assert!(options.defaults.database.is_none());
}

#[test]
fn a_chart_for_one_namespace_looks_after_that_one() {
    assert_eq!(
        options_of("one-namespace").scope,
        Scope::Namespace("shop".to_owned())
    );
}
