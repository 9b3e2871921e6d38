//! How services reach their database and Kafka: TLS, passwords, and the Secrets for them.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::path::{Path, PathBuf};

use innkeeper_contracts::settings::{self, Database, Log, SaslMechanism, TlsMode};
use innkeeper_crds::DomainService;
use innkeeper_plan::render::objects;
use innkeeper_plan::{Executor, Expansion, Facts, expand, validate, validate_service};
use serde_json::{Value, json};

use super::fixtures::{cluster, cluster_defaults, example, example_for_any_image, only_platform};

fn expanded(text: &str, executor: &Executor) -> Expansion {
    let platform = only_platform(text).unwrap().platform;
    let validated = validate(&platform, executor).unwrap();
    expand(&validated, executor, &Facts::default())
}

/// The Secret, and the path in a pod, of the file that a key of a Secret becomes in a folder.
fn mounted(service: &DomainService, folder: &Path, key: &str) -> (Value, PathBuf) {
    let objects = objects(service, None);
    let mut deployments = objects.iter().filter(|it| it.resource.kind == "Deployment");
    let deployment = &deployments.next().unwrap().object.data;
    let pod = &deployment["spec"]["template"]["spec"];
    let named = |list: &Value, field: &str, value: &Value| -> Value {
        let mut items = list.as_array().unwrap().iter();
        items.find(|it| it[field] == *value).unwrap().clone()
    };
    let mounts = &pod["containers"][0]["volumeMounts"];
    let mount = named(mounts, "mountPath", &json!(folder));
    let volume = named(&pod["volumes"], "name", &mount["name"]);
    let item = named(&volume["secret"]["items"], "key", &json!(key));
    let path = folder.join(item["path"].as_str().unwrap());
    (volume["secret"]["secretName"].clone(), path)
}

fn check_certificates(service: &DomainService, tls: &settings::Tls) {
    assert_eq!(tls.mode, TlsMode::VerifyFull);
    let ca_file = tls.ca_file.clone().unwrap();
    assert_eq!(
        mounted(service, ca_file.parent().unwrap(), "root.pem"),
        (json!("ca"), ca_file)
    );
    let folder = tls.client_certificate_dir.as_deref().unwrap();
    for key in ["tls.crt", "tls.key"] {
        let expected = (json!("me"), folder.join(key));
        assert_eq!(mounted(service, folder, key), expected);
    }
}

/// How a server's TLS is asked for, with all Secrets.
const TLS: &str = "tls: { mode: VerifyFull, caSecretRef: { name: ca, key: root.pem }, clientSecretRef: { name: me } }";

#[test]
fn certificates_for_the_database_are_mounted_where_the_settings_say() {
    let database =
        format!("  database: {{ postgres: {{ host: db, secretRef: {{ name: db }}, {TLS} }} }}\n");
    let text = example().replacen("  services:\n", &format!("{database}  services:\n"), 1);
    let expansion = expanded(&text, &cluster());
    let mut services = expansion.services.iter();
    let service = services.find(|it| it.spec.database_tls.is_some()).unwrap();
    let Some(Database::Postgres(postgres)) = &service.spec.settings.database else {
        panic!("it is on PostgreSQL");
    };
    check_certificates(service, postgres.tls.as_ref().unwrap());
}

#[test]
fn what_kafka_asks_for_is_mounted_where_the_settings_say() {
    let sasl = "sasl: { mechanism: SCRAM-SHA-512, secretRef: { name: login } }";
    let messaging = format!("  messaging: {{ bootstrapServers: kafka:9093, {TLS}, {sasl} }}\n");
    let text = example().replacen("  services:\n", &format!("{messaging}  services:\n"), 1);
    let expansion = expanded(&text, &cluster());
    for service in &expansion.services {
        let Some(Log::Kafka(kafka)) = &service.spec.settings.log else {
            assert_eq!(service.spec.kafka_secret, None, "a gateway has no log");
            continue;
        };
        check_certificates(service, kafka.tls.as_ref().unwrap());
        let sasl = kafka.sasl.as_ref().unwrap();
        assert_eq!(sasl.mechanism, SaslMechanism::ScramSha512);
        for key in ["username", "password"] {
            let expected = (json!("login"), sasl.credentials_dir.join(key));
            assert_eq!(mounted(service, &sasl.credentials_dir, key), expected);
        }
        assert_eq!(validate_service(service, &cluster_defaults()).err(), None);
        let mut elsewhere = service.clone();
        elsewhere.spec.kafka_secret = None;
        let refusals = validate_service(&elsewhere, &cluster_defaults()).unwrap_err();
        let expected = "spec.settings.log.kafka.sasl.credentialsDir: say /etc/innkeeper/kafka if spec.kafkaSecret is given, else leave sasl out";
        assert_eq!(refusals.to_string(), expected);
    }
}

#[test]
fn how_brokers_are_reached_is_said_beside_them() {
    let said_of = |messaging: &str| {
        let messaging = format!("  messaging: {{ {messaging} }}\n  services:\n");
        let text = example().replacen("  services:\n", &messaging, 1);
        let platform = only_platform(&text).unwrap().platform;
        let refusals = validate(&platform, &cluster()).err()?;
        Some(refusals.to_string())
    };
    assert_eq!(
        said_of("bootstrapServers: kafka:9093, tls: { mode: Require }"),
        None
    );
    let alone = said_of("tls: { mode: Require }").unwrap();
    let expected =
        "spec.messaging.bootstrapServers: tls and sasl are for brokers that are named beside them";
    assert!(alone.contains(expected), "{alone}");
    let unused =
        "bootstrapServers: kafka:9092, tls: { mode: Disable, clientSecretRef: { name: me } }";
    let unused = said_of(unused).unwrap();
    let expected = "spec.messaging.tls.mode: without TLS no certificate is used";
    assert!(unused.contains(expected), "{unused}");
}

#[test]
fn a_default_of_kafka_reaches_platforms_that_name_no_brokers() {
    let mut defaults = cluster_defaults();
    let security = json!({ "tls": { "mode": "Require" }, "sasl": { "mechanism": "PLAIN", "secretRef": { "name": "login" } } });
    defaults.kafka = serde_json::from_value(security).unwrap();
    let executor = Executor::Cluster(defaults.clone());
    let kafka_of = |text: &str| {
        let expansion = expanded(text, &executor);
        let logs = expansion
            .services
            .iter()
            .map(|it| it.spec.settings.log.clone());
        let kafka = logs.flatten().next();
        let Some(Log::Kafka(kafka)) = kafka else {
            panic!("it is on Kafka");
        };
        kafka
    };
    let kafka = kafka_of(&example());
    assert!(kafka.tls.is_some() && kafka.sasl.is_some());
    // The password is for the installation's brokers alone.
    let own = "  messaging: { bootstrapServers: kafka.own:9092 }\n  services:\n";
    let kafka = kafka_of(&example().replacen("  services:\n", own, 1));
    assert!(kafka.tls.is_none() && kafka.sasl.is_none());

    let mut platform = only_platform(&example_for_any_image()).unwrap().platform;
    platform.spec.image = Some("innkeeper:0.2.0".to_owned());
    let refusals = validate(&platform, &executor).unwrap_err().to_string();
    for field in ["tls", "sasl"] {
        let expected = format!(
            "spec.messaging: the image innkeeper:0.2.0 does not know {field}, which came with 0.3.0"
        );
        assert!(refusals.contains(&expected), "{refusals}");
    }
}

#[test]
fn defaults_with_tls_are_refused_for_an_image_that_does_not_know_it() {
    let mut platform = only_platform(&example_for_any_image()).unwrap().platform;
    platform.spec.image = Some("innkeeper:0.2.0".to_owned());
    let mut defaults = cluster_defaults();
    let tls = json!({ "mode": "Require" });
    defaults.database.as_mut().unwrap().tls = serde_json::from_value(tls).ok();
    let executor = Executor::Cluster(defaults);
    let refusals = validate(&platform, &executor).unwrap_err();
    let expected =
        "spec.database: the image innkeeper:0.2.0 does not know tls, which came with 0.3.0";
    assert!(refusals.to_string().contains(expected), "{refusals}");
    let own = json!({ "postgres": { "host": "db", "secretRef": { "name": "db" } } });
    platform.spec.database = serde_json::from_value(own).ok();
    assert!(validate(&platform, &executor).is_ok());
}
