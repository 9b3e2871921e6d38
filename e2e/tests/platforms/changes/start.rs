//! Platforms that cannot start immediately.

use innkeeper_e2e::kubernetes::{DEPLOYMENTS, DOMAIN_SERVICES, PLATFORMS, PODS};
use serde_json::{Value, json};

use super::{COTTAGE, cottage};

/// A Deployment that belongs to somebody else.
fn foreign() -> Value {
    let labels = json!({ "app": "someone-elses" });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "pay" },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "pay", "image": "dev.local/pause:1" }] },
            },
        },
    })
}

/// Waits until the message of the service that calls `pay` contains this text.
fn await_caller(expected: &str) {
    COTTAGE.until(&format!("reservation {expected}"), || {
        match COTTAGE.await_reason("reservation", "WaitingForCallee") {
            said if said == expected => Ok(()),
            said => Err(said),
        }
    });
}

pub fn a_name_that_belongs_to_someone_else_is_left_alone() {
    COTTAGE.create();
    COTTAGE.create_secret();
    COTTAGE.apply(&foreign().to_string());
    let version = || {
        let deployment = COTTAGE.fetch(DEPLOYMENTS, "pay");
        (deployment["status"]["observedGeneration"] == 1)
            .then(|| deployment["metadata"]["resourceVersion"].clone())
    };
    let before = COTTAGE.until("Kubernetes has seen the Deployment", || {
        version().ok_or_else(String::new)
    });

    let never_ready = json!({ "readiness": { "httpGet": { "path": "/nowhere", "port": 9090 } } });
    COTTAGE.apply(
        &cottage()
            .with_service("pay", "probes", never_ready)
            .manifest(),
    );
    let said = COTTAGE.await_reason("pay", "NameTaken");
    assert!(
        said.starts_with("Deployment pay belongs to someone else and is left alone"),
        "{said}"
    );
    let said = COTTAGE.await_state(PLATFORMS, "cottage", "Stalled");
    assert!(said.contains("pay: NameTaken"), "{said}");
    await_caller("waits for pay (NameTaken), which it calls");
    COTTAGE.await_reason("rent", "Ready");
    assert_eq!(version(), Some(before));
    COTTAGE.kubectl(&["delete", "deployment", "pay"]).unwrap();
}

pub fn callers_wait_for_a_callee_that_is_not_ready() {
    COTTAGE.until("pay has been rolled out", || {
        match COTTAGE.find(DEPLOYMENTS, "pay") {
            Some(_) => Ok(()),
            None => Err(COTTAGE.fetch(DOMAIN_SERVICES, "pay")["status"].to_string()),
        }
    });
    COTTAGE.await_reason("pay", "Progressing");
    await_caller("waits for pay, which it calls");
    assert!(COTTAGE.find(DEPLOYMENTS, "reservation").is_none());
    let said = COTTAGE.await_state(PLATFORMS, "cottage", "Reconciling");
    assert!(
        said.contains("reservation: WaitingForCallee: waits for pay"),
        "{said}"
    );

    COTTAGE.apply(&cottage().manifest());
    COTTAGE.await_ready("cottage");
    assert!(COTTAGE.find(DEPLOYMENTS, "reservation").is_some());
}

pub fn probes_of_ones_own_are_in_the_pods() {
    let pod = COTTAGE.until("pay has one pod", || {
        let pods = COTTAGE.list_of_service(PODS, "pay");
        if pods.len() == 1 {
            Ok(pods[0].clone())
        } else {
            Err(format!("{} pods", pods.len()))
        }
    });
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["livenessProbe"]["tcpSocket"]["port"], 8080);
    assert_eq!(container["livenessProbe"]["periodSeconds"], 7);
    assert_eq!(container["readinessProbe"]["periodSeconds"], 1);
    assert_eq!(
        container["startupProbe"]["exec"]["command"],
        json!(["/innkeeper", "--version"])
    );
    assert_eq!(container["startupProbe"]["failureThreshold"], 90);
}
