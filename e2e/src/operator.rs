//! Installs the operator with Helm, as a user does.

use std::io::Write as _;
use std::path::PathBuf;

use innkeeper_cluster::command::{CommandError, read_output};

use crate::kubernetes::{PODS, SERVICES, text};
use crate::namespace::Namespace;
use crate::postgres::DATABASE;
use crate::secured_kafka;
use crate::site::site;

pub const NAMESPACE: Namespace = Namespace("innkeeper-system");

/// Name of the Helm release.
pub const RELEASE: &str = "innkeeper";

/// Runs Helm and returns its output.
pub fn helm(arguments: &[&str]) -> Result<String, CommandError> {
    let mut helm = site().cluster.helm();
    read_output(helm.args(["--namespace", NAMESPACE.0]).args(arguments))
}

/// Installs or upgrades the release with these arguments, and returns the notes.
pub fn install(arguments: &[&str]) -> String {
    try_install(arguments).unwrap_or_else(|error| panic!("{error}"))
}

/// The same as [`install`], but it may be refused.
pub fn try_install(arguments: &[&str]) -> Result<String, CommandError> {
    let chart = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/innkeeper"));
    let chart = chart.to_str().unwrap();
    let install = ["upgrade", RELEASE, chart, "--install", "--reset-values"];
    helm(&[&install[..], arguments].concat())
}

/// Installs the release with this cluster's Kafka and database, and waits until the operator is
/// ready.
pub fn install_whole() -> String {
    install_whole_with(&[])
}

/// The same as [`install_whole`], with more arguments.
pub fn install_whole_with(arguments: &[&str]) -> String {
    let cluster = &site().cluster;
    let kafka = format!("kafka.bootstrapServers={}", cluster.kafka());
    let database = cluster.postgres();
    let host = format!("database.postgres.host={}", database.ip());
    let port = format!("database.postgres.port={}", database.port());
    let name = format!("database.postgres.database={DATABASE}");
    secured_kafka::put_operator_secrets(NAMESPACE);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(secured_kafka::values().as_bytes()).unwrap();
    let values = file.path().to_str().unwrap();
    let whole = [
        "--values",
        values,
        "--set-string",
        &kafka,
        "--set-string",
        &host,
        "--set",
        &port,
        "--set-string",
        &name,
        "--wait",
        "--timeout=120s",
    ];
    install(&[&whole[..], arguments].concat())
}

/// Scales the operator to a number of replicas, and waits until it has as many pods.
pub fn scale(replicas: usize) {
    let wanted = format!("--replicas={replicas}");
    NAMESPACE
        .kubectl(&["scale", "deployment/innkeeper", &wanted])
        .unwrap();
    NAMESPACE.until(
        "the operator's pods are as many as asked for",
        || match NAMESPACE.list(PODS).len() {
            count if count == replicas => Ok(()),
            count => Err(format!("{count} pods")),
        },
    );
}

/// Fetches the address of the admin API of the operator's running pod, whether or not it is ready.
pub fn fetch_admin_address() -> Result<String, String> {
    let pods = NAMESPACE.list(PODS);
    let running = |pod: &&serde_json::Value| {
        pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null()
    };
    let address = |pod: &serde_json::Value| text(&pod["status"]["podIP"]);
    let found = pods.iter().find(running).map(address);
    found
        .filter(|address| !address.is_empty())
        .map(|address| format!("http://{address}:9090"))
        .ok_or_else(|| "no pod of the operator runs".to_owned())
}

/// Fetches the address of the Service that Prometheus scrapes.
pub fn fetch_metrics_address() -> String {
    let service = NAMESPACE.fetch(SERVICES, "innkeeper-metrics");
    format!("http://{}:9090", text(&service["spec"]["clusterIP"]))
}
