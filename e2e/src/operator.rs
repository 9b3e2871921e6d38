//! The operator, installed by Helm as a user does.

use std::path::PathBuf;

use innkeeper_cluster::command::{CommandError, read_output};

use crate::kubernetes::{PODS, SERVICES, text};
use crate::namespace::Namespace;
use crate::postgres::DATABASE;
use crate::site::site;

/// Where the operator runs.
pub const NAMESPACE: Namespace = Namespace("innkeeper-system");

/// The name of the release.
pub const RELEASE: &str = "innkeeper";

/// Runs Helm, and returns what it says.
pub fn helm(arguments: &[&str]) -> Result<String, CommandError> {
    let mut helm = site().cluster.helm();
    read_output(helm.args(["--namespace", NAMESPACE.0]).args(arguments))
}

/// Installs the release, or upgrades it, with these arguments beside the chart, and returns the notes.
pub fn install(arguments: &[&str]) -> String {
    try_install(arguments).unwrap_or_else(|error| panic!("{error}"))
}

/// The same, where it may be refused.
pub fn try_install(arguments: &[&str]) -> Result<String, CommandError> {
    let chart = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/innkeeper"));
    let chart = chart.to_str().unwrap();
    let install = ["upgrade", RELEASE, chart, "--install", "--reset-values"];
    helm(&[&install[..], arguments].concat())
}

/// Installs the release with this cluster's Kafka and database, and waits until it is there.
pub fn install_whole() -> String {
    install_whole_with(&[])
}

/// The same, with more arguments.
pub fn install_whole_with(arguments: &[&str]) -> String {
    let cluster = &site().cluster;
    let kafka = format!("kafka.bootstrapServers={}", cluster.kafka());
    let database = cluster.postgres();
    let host = format!("database.postgres.host={}", database.ip());
    let port = format!("database.postgres.port={}", database.port());
    let name = format!("database.postgres.database={DATABASE}");
    let whole = [
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

/// Lets this many replicas of the operator run, and waits until it is so.
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

/// The address of the admin API of the operator's pod that runs, whether or not it is ready.
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

/// The address of the Service that Prometheus finds.
pub fn fetch_metrics_address() -> String {
    let service = NAMESPACE.fetch(SERVICES, "innkeeper-metrics");
    format!("http://{}:9090", text(&service["spec"]["clusterIP"]))
}
