//! The operator while parts of its installation are missing, and how it reports them.

use std::time::Duration;

use innkeeper_cluster::deadline::until;
use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::http;
use innkeeper_e2e::kubernetes::PLATFORMS;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::{Namespace, SOON};
use innkeeper_e2e::operator::{self, NAMESPACE, fetch_admin_address, install, install_whole};
use serde_json::{Value, json};

const BARE: Namespace = Namespace("bare");

/// The kinds that the operator requires.
const KINDS: [&str; 3] = [
    "bookingplatforms.innkeeper.dev",
    "domainservices.innkeeper.dev",
    "eventtopics.innkeeper.dev",
];

pub fn lane() -> Lane {
    Lane {
        name: "installation",
        namespaces: &["innkeeper-system", "bare"],
        claims: claims![
            an_operator_that_lacks_a_kind_or_a_permission_names_them,
            with_everything_there_the_operator_is_ready,
            what_is_lost_later_is_noticed,
            the_notes_say_what_to_do_next,
            every_series_is_there_from_the_start,
            a_platform_without_kafka_and_database_says_what_to_do,
            a_platform_goes_on_once_the_chart_names_them,
            the_kinds_explain_themselves,
        ],
    }
}

fn ask(path: &str) -> Result<http::Answer, String> {
    http::request(
        "GET",
        &format!("{}{path}", fetch_admin_address()?),
        &Value::Null,
        &[],
    )
}

fn await_readiness(is_expected: impl Fn(&http::Answer) -> bool) {
    await_readiness_within(SOON, is_expected);
}

fn await_readiness_within(within: Duration, is_expected: impl Fn(&http::Answer) -> bool) {
    until("/readyz", within, || {
        let answer = ask("/readyz")?;
        if is_expected(&answer) {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .unwrap_or_else(|overdue| panic!("{overdue}"));
}

fn an_operator_that_lacks_a_kind_or_a_permission_names_them() {
    // If the cluster was kept, the operator is installed already, and so are its kinds.
    let _ = operator::helm(&["uninstall", operator::RELEASE, "--wait"]);
    NAMESPACE
        .kubectl(&[&["delete", "crd", "--ignore-not-found"], &KINDS[..]].concat())
        .unwrap();
    NAMESPACE.create();
    install(&["--set", "crds.install=false"]);
    let forbid = [
        "patch",
        "clusterrole",
        "innkeeper",
        "--type=json",
        r#"--patch=[{"op": "replace", "path": "/rules", "value": []}]"#,
    ];
    NAMESPACE.kubectl(&forbid).unwrap();
    await_readiness(|answer| {
        let names = |what: &str| answer.text().contains(what);
        answer.status == 503
            && KINDS.iter().all(|kind| names(kind))
            && names("patch deployments.apps in every namespace")
    });
    assert_eq!(ask("/livez").unwrap().status, 200);
}

fn with_everything_there_the_operator_is_ready() {
    install(&["--wait", "--timeout=120s"]);
    await_readiness(|answer| answer.status == 200);
}

/// How long it may take until `/readyz` tells.
const NOTICED: Duration = Duration::from_secs(15);

fn what_is_lost_later_is_noticed() {
    let role = ["get", "clusterrole", "innkeeper", "--output=json"];
    let role: Value = serde_json::from_str(&NAMESPACE.kubectl(&role).unwrap()).unwrap();
    let mut rules = role["rules"].clone();
    rules
        .as_array_mut()
        .unwrap()
        .retain(|rule| rule["resources"] != json!(["deployments"]));
    let patch = format!("--patch={}", json!({ "rules": rules }));
    NAMESPACE
        .kubectl(&["patch", "clusterrole", "innkeeper", "--type=merge", &patch])
        .unwrap();
    await_lack("the permission to get, list, watch, create, patch deployments.apps");
    NAMESPACE.kubectl(&["delete", "crd", KINDS[2]]).unwrap();
    await_lack("the CustomResourceDefinition eventtopics.innkeeper.dev");
    install(&["--wait", "--timeout=120s"]);
    await_readiness(|answer| answer.status == 200);
}

/// Waits until `/readyz` tells what is lost, which does not take long.
fn await_lack(what: &str) {
    await_readiness_within(NOTICED, |answer| {
        answer.status == 503 && answer.text().contains(what)
    });
}

fn the_notes_say_what_to_do_next() {
    let notes = operator::helm(&["get", "notes", operator::RELEASE]).unwrap();
    for said in [
        "kafka.bootstrapServers is not set",
        "database.postgres.host is not set",
        "create secret generic innkeeper-database",
        "kubectl --namespace default apply --filename examples/rentcar.yaml",
    ] {
        assert!(notes.contains(said), "{said} is not in: {notes}");
    }
}

fn every_series_is_there_from_the_start() {
    let metrics = format!("{}/metrics", operator::fetch_metrics_address());
    // The Service has the pod again a little after the pod is ready.
    let answer = until("the metrics answer", SOON, || {
        http::request("GET", &metrics, &Value::Null, &[])
    })
    .unwrap();
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4");
    for series in [
        r#"innkeeper_operator_reconciliations_total{kind="BookingPlatform",result="finished"} 0"#,
        r#"innkeeper_operator_reconciliations_total{kind="EventTopic",result="conflict"} 0"#,
        r#"innkeeper_operator_reconciliation_duration_seconds_count{kind="DomainService"} 0"#,
        r#"innkeeper_operator_objects{kind="DomainService",state="ready"} 0"#,
        r#"innkeeper_operator_objects{kind="BookingPlatform",state="stalled"} 0"#,
        r#"innkeeper_operator_kafka_admin_calls_total{call="create_topics",result="failed"} 0"#,
        "innkeeper_operator_topic_drift_repaired_total 0",
        "innkeeper_operator_leader 1",
    ] {
        assert!(
            answer.text().contains(series),
            "{series} is not in:\n{}",
            answer.text()
        );
    }
}

fn a_platform_without_kafka_and_database_says_what_to_do() {
    BARE.create();
    BARE.create_secret();
    BARE.apply(&Example::small("bare").manifest());
    let said = BARE.await_state(PLATFORMS, "bare", "Stalled");
    for remedy in [
        "spec.messaging.bootstrapServers: no Kafka is configured: name its brokers here, or as kafka.bootstrapServers in the chart's values",
        "spec.services[1].database: no database is configured: name one here or in spec.database, or as database.postgres in the chart's values",
    ] {
        assert!(said.contains(remedy), "{remedy} is not in: {said}");
    }
}

fn a_platform_goes_on_once_the_chart_names_them() {
    install_whole();
    BARE.await_ready("bare");
    BARE.kubectl(&["delete", "bookingplatform", "bare"])
        .unwrap();
}

fn the_kinds_explain_themselves() {
    let explained = BARE.kubectl(&["explain", "dsvc.spec.autoscaling"]).unwrap();
    for word in [
        "KIND:       DomainService",
        "minReplicas",
        "targetCPUUtilizationPercentage",
        "behavior",
    ] {
        assert!(explained.contains(word), "{word} is not in: {explained}");
    }
    assert!(!explained.contains("<no description>"), "{explained}");
}
