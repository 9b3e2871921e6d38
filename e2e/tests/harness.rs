//! Tests that the cluster itself does what the other end-to-end tests rely on.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use innkeeper_cluster::cluster::Cluster;
use innkeeper_cluster::command::{read_output, run};
use innkeeper_cluster::deadline::until;
use innkeeper_cluster::progress::Progress;
use innkeeper_cluster::{folders, network};
use innkeeper_image::Image;
use serde_json::{Value, json};

const IMAGE: &str = "dev.local/probe:1";
const WITHIN: Duration = Duration::from_mins(2);

/// A Kubernetes namespace with the restricted pod security standard, which is deleted when this
/// value is dropped.
struct Namespace {
    cluster: Cluster,
    name: &'static str,
}

impl Namespace {
    fn create(name: &'static str) -> Self {
        let cluster = find_cluster();
        import_probe(&cluster);
        let namespace = Self { cluster, name };
        namespace.apply(&json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        }));
        namespace
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut kubectl = self.cluster.kubectl();
        kubectl.args(["--namespace", self.name]).args(arguments);
        read_output(&mut kubectl).map_err(|error| error.to_string())
    }

    fn apply(&self, object: &Value) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("object.json");
        fs::write(&path, object.to_string()).unwrap();
        self.kubectl(&["apply", "--filename", path.to_str().unwrap()])
            .unwrap();
    }

    fn start_pod(&self, name: &str, words: &[&str]) {
        until("the service account", WITHIN, || {
            self.kubectl(&["get", "serviceaccount", "default"])
        })
        .unwrap();
        self.apply(&json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "probe",
                    "image": IMAGE,
                    "imagePullPolicy": "Never",
                    "args": words,
                    "securityContext": {
                        "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }],
            },
        }));
    }

    fn await_phase(&self, pod: &str, phase: &str) {
        until(phase, WITHIN, || {
            let seen =
                self.kubectl(&["get", "pod", pod, "--output", "jsonpath={.status.phase}"])?;
            if seen == phase { Ok(()) } else { Err(seen) }
        })
        .unwrap_or_else(|overdue| {
            panic!(
                "{overdue}: {}",
                self.kubectl(&["describe", "pod", pod]).unwrap()
            )
        });
    }

    /// Runs the probe in a pod with these arguments to its end, and returns its output.
    fn run_pod(&self, pod: &str, words: &[&str]) -> String {
        self.start_pod(pod, words);
        self.await_phase(pod, "Succeeded");
        self.kubectl(&["logs", pod]).unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.kubectl(&["delete", "namespace", self.name, "--wait=false"]);
    }
}

/// The cluster that `cargo xtask test` has started.
fn find_cluster() -> Cluster {
    let name = std::env::var_os("INNKEEPER_E2E_CLUSTER")
        .expect("run this with: cargo xtask test --only cluster");
    Cluster::find(name.to_str().unwrap())
        .unwrap()
        .expect("the cluster runs")
}

fn import_probe(cluster: &Cluster) {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("probe.tar");
    let image = Image::of_program(IMAGE, Path::new(env!("CARGO_BIN_EXE_probe")), "/probe").unwrap();
    image.write(&archive).unwrap();
    cluster.import_image(&archive).unwrap();
}

#[test]
fn the_node_runs_the_version_that_was_asked_for() {
    let nodes = read_output(
        find_cluster()
            .kubectl()
            .args(["get", "nodes", "--no-headers"]),
    )
    .unwrap();
    let words: Vec<&str> = nodes.split_whitespace().collect();
    assert_eq!(words[..2], ["node0", "Ready"], "{nodes}");
    assert_eq!(words[4], "v1.34.4");
}

#[test]
fn a_restricted_pod_from_an_image_of_ours_finds_a_service_by_its_name() {
    let namespace = Namespace::create("harness-service");
    namespace.start_pod("server", &["serve", "0.0.0.0:8080"]);
    namespace.apply(&json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server"},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }));
    namespace.await_phase("server", "Running");
    assert_eq!(
        namespace.run_pod("client", &["read", "server:80"]).trim(),
        "hello from the pod"
    );
}

#[test]
fn a_pod_reaches_kafka_and_the_database() {
    let namespace = Namespace::create("harness-stores");
    let (kafka, postgres) = (
        namespace.cluster.kafka(),
        namespace.cluster.postgres().to_string(),
    );
    let said = namespace.run_pod("client", &["connect", &kafka, &postgres]);
    assert_eq!(
        said,
        format!("connected to {kafka}\nconnected to {postgres}\n")
    );
}

#[test]
fn figures_of_the_node_appear() {
    let cluster = find_cluster();
    let figures = until("figures", WITHIN, || {
        let mut kubectl = cluster.kubectl();
        kubectl.args(["get", "--raw=/apis/metrics.k8s.io/v1beta1/nodes/node0"]);
        read_output(&mut kubectl).map_err(|error| error.to_string())
    });
    let figures: Value = serde_json::from_str(&figures.unwrap()).unwrap();
    assert!(figures["usage"]["cpu"].is_string(), "{figures}");
}

#[test]
fn a_second_cluster_lives_beside_the_first_and_leaves_nothing() {
    let name = "harness-second";
    let first = find_cluster();
    let second = Cluster::up(name, Progress::silent()).unwrap();
    run(second.kubectl().args(["get", "node", "node0"])).unwrap();
    Cluster::down(name).unwrap();

    let traces = [
        format!("{}/run/cluster-{name}", folders::cache().display()),
        format!("/run/netns/innkeeper-{name}"),
        format!("/sys/fs/cgroup/cpu/innkeeper-{name}"),
        format!("/sys/fs/cgroup/innkeeper-{name}"),
    ];
    assert_eq!(
        traces
            .iter()
            .filter(|path| Path::new(path).exists())
            .collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert!(
        !fs::read_to_string("/proc/self/mounts")
            .unwrap()
            .contains(name)
    );
    assert!(
        !read_output(Command::new("ps").args(["-e", "-o", "args"]))
            .unwrap()
            .contains(&format!("cluster-{name}/"))
    );
    assert!(network::exists(
        std::env::var_os("INNKEEPER_E2E_CLUSTER")
            .unwrap()
            .to_str()
            .unwrap()
    ));
    run(first.kubectl().args(["get", "node", "node0"])).unwrap();
}
