//! The number of pods follows the load, and no edit removes pods.

use std::time::Duration;

use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{AUTOSCALERS, DEPLOYMENTS, PODS, condition};
use innkeeper_e2e::load::Siege;
use innkeeper_e2e::watch::KubectlWatch;
use serde_json::{Value, json};

use super::RENTCAR;

/// The service with the autoscaler.
const VIEW: &str = "myreservation";

/// Load that keeps the view busier than the target of its autoscaler.
fn begin_load() -> Siege {
    let view = format!("{}/myReservations", RENTCAR.fetch_gateway_url());
    Siege::begin(4, Duration::from_millis(10), &view)
}

/// The example with an autoscaler that any load drives to 4 pods, and that never removes one.
fn held() -> Example {
    let autoscaling = json!({
        "minReplicas": 1,
        "maxReplicas": 4,
        "targetCPUUtilizationPercentage": 1,
        "behavior": { "scaleDown": { "selectPolicy": "Disabled" } },
    });
    Example::unchanged().with_service(VIEW, "autoscaling", autoscaling)
}

/// The example with an autoscaler that removes pods immediately, where Kubernetes would wait five
/// minutes, and that never adds any. On a busy machine the start of a pod may look like load, and
/// without a `behavior` Kubernetes returns to the greatest number that it wanted in the last five
/// minutes. The requests of so many pods would fill a node with 2 cores.
pub(super) fn without_growth() -> Example {
    let scale_down = json!({
        "stabilizationWindowSeconds": 0,
        "policies": [{ "type": "Percent", "value": 100, "periodSeconds": 5 }],
    });
    let autoscaling = json!({
        "minReplicas": 1,
        "maxReplicas": 10,
        "targetCPUUtilizationPercentage": 15,
        "behavior": { "scaleDown": scale_down, "scaleUp": { "selectPolicy": "Disabled" } },
    });
    Example::unchanged().with_service(VIEW, "autoscaling", autoscaling)
}

fn fetch_asked_for() -> i64 {
    RENTCAR.fetch(DEPLOYMENTS, VIEW)["spec"]["replicas"]
        .as_i64()
        .unwrap()
}

fn await_pods(what: &str, is_enough: impl Fn(i64) -> bool) {
    RENTCAR.until(what, || match fetch_asked_for() {
        count if is_enough(count) => Ok(()),
        count => Err(format!("{count} pods")),
    });
}

pub fn under_load_pods_are_added() {
    let load = begin_load();
    await_pods("at least 3 pods under load", |count| count >= 3);
    let ready = || RENTCAR.fetch(DEPLOYMENTS, VIEW)["status"]["readyReplicas"].as_i64();
    RENTCAR.until("3 of them are ready", || match ready() {
        Some(count) if count >= 3 => Ok(()),
        count => Err(format!("{count:?} are ready")),
    });
    let count = load.end();
    assert!(count.answered > 100 && count.failed == 0, "{count:?}");
}

/// Waits until the autoscaler stays at 4 pods although it wants more. While it still knows the old
/// limit it may exceed that number.
fn await_held() {
    RENTCAR.until("the autoscaler holds 4 pods", || {
        let autoscaler = RENTCAR.fetch(AUTOSCALERS, VIEW);
        let limited = condition(&autoscaler, "ScalingLimited").cloned();
        let is_limited = limited.is_some_and(|it| it["reason"] == "TooManyReplicas");
        let (limit, held) = (
            &autoscaler["spec"]["maxReplicas"],
            &autoscaler["status"]["currentReplicas"],
        );
        if is_limited && limit == 4 && held == 4 && fetch_asked_for() == 4 {
            Ok(())
        } else {
            Err(autoscaler["status"].to_string())
        }
    });
}

pub fn an_edit_keeps_the_pods_that_the_autoscaler_holds() {
    RENTCAR.apply(&held().manifest());
    let load = begin_load();
    await_held();
    let watch = KubectlWatch::begin(RENTCAR, "deployment/myreservation", "{.spec.replicas}");
    let edited = held().with_service(VIEW, "config", json!({ "env": { "PROFILE": "edited" } }));
    RENTCAR.apply(&edited.manifest());
    RENTCAR.await_ready("rentcar");
    RENTCAR.until("every pod has the new value", || {
        let pods = RENTCAR.list_of_service(PODS, VIEW);
        let old = |pod: &&Value| !pod["metadata"]["deletionTimestamp"].is_null();
        let is_new = pods.len() == 4 && pods.iter().filter(old).count() == 0;
        if is_new {
            Ok(())
        } else {
            Err(format!("{} pods", pods.len()))
        }
    });
    RENTCAR
        .check_configured(VIEW, &json!({ "PROFILE": "edited" }))
        .unwrap();
    let values = watch.read_values();
    assert!(
        values.len() > 1 && values.iter().all(|count| count == "4"),
        "{values:?}"
    );
    load.end();
}

pub fn without_load_pods_are_taken_away() {
    RENTCAR.apply(&without_growth().manifest());
    await_pods("1 pod", |count| count == 1);
    RENTCAR.await_ready("rentcar");
}
