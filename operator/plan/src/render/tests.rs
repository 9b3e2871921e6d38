//! The rendered example, as a cluster would get it.

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::workload::{DisruptionBudget, Rollout, Surge};
use innkeeper_crds::{BookingPlatform, BookingPlatformSpec, DomainService};
use k8s_openapi::api::apps::v1::Deployment;

use super::*;
use crate::executor::{ClusterDefaults, Executor};
use crate::{Facts, expand, validate};

const RENTCAR: &str = include_str!("../../../../examples/rentcar.yaml");

fn cluster() -> Executor {
    Executor::Cluster(ClusterDefaults {
        bootstrap_servers: Some("kafka:9092".to_owned()),
        kafka: KafkaSecurity::default(),
        database: Some(Postgres {
            host: "postgres".to_owned(),
            port: 5432,
            database: "innkeeper".to_owned(),
            secret_ref: SecretRef {
                name: "innkeeper-database".to_owned(),
            },
            tls: None,
        }),
        image: "innkeeper:1".to_owned(),
    })
}

fn rentcar() -> Expansion {
    let mut file: serde_json::Value = serde_yaml::from_str(RENTCAR).unwrap();
    let spec: BookingPlatformSpec = serde_json::from_value(file["spec"].take()).unwrap();
    let platform = BookingPlatform::named("rentcar", "default", spec);
    let validated = validate(&platform, &cluster()).unwrap();
    expand(&validated, &cluster(), &Facts::default())
}

fn service_named(name: &str) -> DomainService {
    rentcar()
        .services
        .into_iter()
        .find(|service| service.metadata.name.as_deref() == Some(name))
        .unwrap()
}

fn deployment_of(service: &DomainService, replicas: Option<i32>) -> Deployment {
    deployment::deployment(service, &ConfigMaps::of(service), replicas)
}

fn config_map_names(service: &DomainService) -> Vec<String> {
    objects(service, None)
        .iter()
        .filter(|rendered| rendered.resource.kind == "ConfigMap")
        .map(|rendered| rendered.name().to_owned())
        .collect()
}

#[test]
fn the_example_becomes_these_objects() {
    let documents: Vec<String> = platform_objects(&rentcar())
        .iter()
        .map(Rendered::yaml)
        .collect();
    insta::assert_snapshot!("rentcar", documents.join("---\n"));
}

#[test]
fn a_changed_value_changes_the_names_of_its_service_alone() {
    let mut changed = service_named("myreservation");
    let before = config_map_names(&changed);
    let value = ("PROFILE".to_owned(), "other".to_owned());
    changed.spec.settings.config.extend([value.clone()]);
    let config = changed.spec.workload.config.as_mut().unwrap();
    config.env.extend([value]);
    let after = config_map_names(&changed);
    assert!(before.iter().all(|name| !after.contains(name)));
    let pay = service_named("pay");
    assert_eq!(config_map_names(&pay), config_map_names(&pay));
}

#[test]
fn a_users_label_never_replaces_one_of_ours() {
    let mut pay = service_named("pay");
    pay.spec.workload.labels = [
        ("team".to_owned(), "money".to_owned()),
        (crate::names::SERVICE_LABEL.to_owned(), "other".to_owned()),
    ]
    .into();
    let labels = deployment_of(&pay, None).metadata.labels.unwrap();
    assert_eq!(labels["team"], "money");
    assert_eq!(labels[crate::names::SERVICE_LABEL], "pay");
}

#[test]
fn a_rollout_is_as_the_user_says() {
    let mut pay = service_named("pay");
    pay.spec.workload.rollout = Some(Rollout {
        surge: Some(Surge("50%".to_owned())),
        drain_time: Some("40s".parse().unwrap()),
        minimum_ready_time: Some("3s".parse().unwrap()),
    });
    let spec = deployment_of(&pay, Some(2)).spec.unwrap();
    let strategy = spec.strategy.unwrap().rolling_update.unwrap();
    assert_eq!(serde_json::json!(strategy.max_surge), "50%");
    assert_eq!(spec.min_ready_seconds, Some(3));
    let pod = spec.template.spec.unwrap();
    assert_eq!(pod.termination_grace_period_seconds, Some(55));
}

#[test]
fn a_budget_of_ones_own_takes_the_place_of_ours_and_nothing_else() {
    let mut pay = service_named("pay");
    let mut others = objects(&pay, None);
    others.retain(|it| it.resource.kind != "PodDisruptionBudget");
    pay.spec.workload.disruption_budget = Some(DisruptionBudget::None);
    assert_eq!(objects(&pay, None), others);
    pay.spec.workload.disruption_budget = Some(DisruptionBudget::OneAtATime);
    assert_eq!(objects(&pay, None), objects(&service_named("pay"), None));
}

#[test]
fn a_ready_pod_is_asked_as_the_user_says() {
    let mut pay = service_named("pay");
    pay.spec.workload.probes = serde_json::from_value(serde_json::json!({
        "readiness": { "tcpSocket": { "port": 8080 }, "periodSeconds": 1 },
        "liveness": { "exec": { "command": ["true"] } },
    }))
    .unwrap();
    let pod = deployment_of(&pay, None)
        .spec
        .unwrap()
        .template
        .spec
        .unwrap();
    let container = &pod.containers[0];
    let readiness = container.readiness_probe.as_ref().unwrap();
    assert!(readiness.tcp_socket.is_some() && readiness.http_get.is_none());
    assert_eq!(readiness.timeout_seconds, Some(1));
    assert!(container.liveness_probe.as_ref().unwrap().exec.is_some());
    let startup = container.startup_probe.as_ref().unwrap();
    assert_eq!(
        startup.http_get.as_ref().unwrap().path.as_deref(),
        Some("/startupz")
    );
}

#[test]
fn applying_needs_no_foreign_namespace_and_no_token() {
    for rendered in platform_objects(&rentcar()) {
        assert_eq!(
            rendered.object.metadata.namespace.as_deref(),
            Some("default")
        );
    }
}
