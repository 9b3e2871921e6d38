//! What others change by hand or put beside a service is noticed, named, and answered with commands
//! that repair it.

use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{
    AUTOSCALERS, CONFIG_MAPS, DEPLOYMENTS, DISRUPTION_BUDGETS, DOMAIN_SERVICES, PODS, name, text,
};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use serde_json::{Value, json};

const VERDICTS: Namespace = Namespace("verdicts");

pub fn lane() -> Lane {
    Lane {
        name: "verdicts",
        namespaces: &["verdicts"],
        claims: claims![
            a_paused_deployment_stalls_and_says_how_to_go_on,
            an_autoscaler_of_somebody_else_keeps_its_number_until_it_goes,
            an_autoscaler_beside_ours_is_named,
            an_autoscaled_service_that_somebody_switches_off_stays_off_and_says_how_to_go_on,
            a_second_budget_is_named_and_ours_goes_when_asked,
            a_refusal_leaves_the_pods_that_serve_in_sight,
            pods_refused_beyond_the_fewest_are_told,
            a_child_without_labels_is_pruned,
            a_pod_that_a_changed_label_took_goes_with_its_service,
        ],
    }
}

fn platform() -> Example {
    Example::small("verdicts")
}

/// Waits until a service is as described and its message mentions nothing else.
fn await_nothing_told(service: &str) {
    VERDICTS.until(&format!("{service} is ready"), || {
        match VERDICTS.fetch_ready(service) {
            (reason, said) if reason == "Ready" && !said.contains('\n') => Ok(()),
            (reason, said) => Err(format!("{reason}: {said}")),
        }
    });
}

fn fetch_replicas(service: &str) -> Value {
    VERDICTS.fetch(DEPLOYMENTS, service)["spec"]["replicas"].take()
}

fn a_paused_deployment_stalls_and_says_how_to_go_on() {
    VERDICTS.create();
    VERDICTS.create_secret();
    VERDICTS.apply(&platform().manifest());
    VERDICTS.await_ready("verdicts");
    VERDICTS
        .kubectl(&["rollout", "pause", "deployment/pay"])
        .unwrap();
    let said = VERDICTS.await_noticed("pay", "RolloutPaused");
    VERDICTS.obey(&said);
    await_nothing_told("pay");
}

fn autoscale(service: &str) {
    let name = format!("--name=by-hand-{service}");
    let target = format!("deployment/{service}");
    let count = ["--min=2", "--max=2", "--cpu-percent=50"];
    VERDICTS
        .kubectl(&[&["autoscale", &target, &name], &count[..]].concat())
        .unwrap();
}

fn an_autoscaler_of_somebody_else_keeps_its_number_until_it_goes() {
    autoscale("pay");
    let said = VERDICTS.await_noticed("pay", "ScaledByAnother");
    VERDICTS.until("it has its number", || match fetch_replicas("pay") {
        count if count == 2 => Ok(()),
        count => Err(count.to_string()),
    });
    let changed = json!({ "env": { "CHANGED": "yes" } });
    let changed = platform().with_service("pay", "config", changed);
    VERDICTS.apply(&changed.manifest());
    VERDICTS.until("an edit reaches all pods", || {
        let deployment = VERDICTS.fetch(DEPLOYMENTS, "pay");
        assert_eq!(deployment["spec"]["replicas"], 2);
        let environment = &deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"];
        let status = &deployment["status"];
        let is_current = status["observedGeneration"] == deployment["metadata"]["generation"];
        if environment.is_array() && is_current && status["updatedReplicas"] == 2 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
    assert_eq!(VERDICTS.fetch_ready("pay").0, "ScaledByAnother");
    VERDICTS.obey(&said);
    await_nothing_told("pay");
    assert_eq!(fetch_replicas("pay"), 1);
}

/// The platform with an autoscaler of ours that never removes pods.
fn autoscaled() -> Example {
    let autoscaling = json!({
        "maxReplicas": 3,
        "targetCPUUtilizationPercentage": 1000,
        "behavior": { "scaleDown": { "selectPolicy": "Disabled" } },
    });
    platform().with_service("myreservation", "autoscaling", autoscaling)
}

fn an_autoscaler_beside_ours_is_named() {
    VERDICTS.apply(&autoscaled().manifest());
    VERDICTS.until("it has an autoscaler of ours", || {
        match VERDICTS.find(AUTOSCALERS, "myreservation") {
            Some(_) => Ok(()),
            None => Err(String::new()),
        }
    });
    autoscale("myreservation");
    let said = VERDICTS.await_noticed("myreservation", "by-hand-myreservation");
    assert_eq!(VERDICTS.fetch_ready("myreservation").0, "Ready");
    VERDICTS.obey(&said);
    await_nothing_told("myreservation");
}

fn an_autoscaled_service_that_somebody_switches_off_stays_off_and_says_how_to_go_on() {
    let off = ["scale", "deployment/myreservation", "--replicas=0"];
    VERDICTS.kubectl(&off).unwrap();
    let said = VERDICTS.await_noticed("myreservation", "ScaledToZero");
    VERDICTS.until("its pods are gone", || {
        match VERDICTS.list_of_service(PODS, "myreservation").len() {
            0 => Ok(()),
            count => Err(format!("{count} pods")),
        }
    });
    assert_eq!(fetch_replicas("myreservation"), 0);
    VERDICTS.obey(&said);
    await_nothing_told("myreservation");
}

fn a_second_budget_is_named_and_ours_goes_when_asked() {
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": "by-hand" },
        "spec": {
            "minAvailable": 1,
            "selector": { "matchExpressions": [
                { "key": "innkeeper.dev/service", "operator": "In", "values": ["pay", "rent"] },
            ] },
        },
    });
    VERDICTS.apply(&budget.to_string());
    VERDICTS.await_told("pay", "PodDisruptionBudget by-hand");
    let said = VERDICTS.await_told("rent", "PodDisruptionBudget by-hand");
    await_nothing_told("reservation");
    let own = autoscaled().with_service("pay", "disruptionBudget", json!("None"));
    VERDICTS.apply(&own.manifest());
    VERDICTS.until("ours is gone", || {
        match VERDICTS.find(DISRUPTION_BUDGETS, "pay") {
            None => Ok(()),
            Some(_) => Err(String::new()),
        }
    });
    await_nothing_told("pay");
    VERDICTS.await_told("rent", "PodDisruptionBudget by-hand");
    VERDICTS.obey(&said);
    await_nothing_told("rent");
    VERDICTS.apply(&autoscaled().manifest());
    VERDICTS.until("ours is back", || {
        match VERDICTS.find(DISRUPTION_BUDGETS, "pay") {
            Some(_) => Ok(()),
            None => Err(String::new()),
        }
    });
}

/// Sets a quota of as many objects of a kind as exist.
fn allow_no_more(resource: &str, count: usize) {
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "no-more" },
        "spec": { "hard": { resource: count.to_string() } },
    });
    VERDICTS.apply(&quota.to_string());
    VERDICTS.until("the quota is in force", || {
        let quota = ["get", "resourcequota", "no-more", "--output=json"];
        let quota: Value = serde_json::from_str(&VERDICTS.kubectl(&quota).unwrap()).unwrap();
        if text(&quota["status"]["used"][resource]) == count.to_string() {
            Ok(())
        } else {
            Err(quota["status"].to_string())
        }
    });
}

fn allow_all() {
    VERDICTS
        .kubectl(&["delete", "resourcequota", "no-more"])
        .unwrap();
}

fn a_refusal_leaves_the_pods_that_serve_in_sight() {
    await_nothing_told("pay");
    allow_no_more("count/configmaps", VERDICTS.list(CONFIG_MAPS).len());
    let changed = json!({ "env": { "CHANGED": "again" } });
    let changed = autoscaled().with_service("pay", "config", changed);
    VERDICTS.apply(&changed.manifest());
    VERDICTS.await_told("pay", "exceeded quota");
    let status = VERDICTS.fetch(DOMAIN_SERVICES, "pay")["status"].take();
    assert_eq!(
        (&status["replicas"], &status["readyReplicas"]),
        (&json!(1), &json!(1))
    );
    VERDICTS.apply(&autoscaled().manifest());
    await_nothing_told("pay");
    allow_all();
}

fn pods_refused_beyond_the_fewest_are_told() {
    VERDICTS.until("the last pods of former days are gone", || {
        match VERDICTS.list(PODS).len() {
            5 => Ok(()),
            count => Err(format!("{count} pods")),
        }
    });
    allow_no_more("pods", 5);
    VERDICTS
        .kubectl(&["scale", "deployment/myreservation", "--replicas=2"])
        .unwrap();
    let said = VERDICTS.await_told("myreservation", "exceeded quota");
    assert!(said.starts_with("ready with 1 of 2 pods"), "{said}");
    assert_eq!(VERDICTS.fetch_ready("myreservation").0, "Ready");
    allow_all();
}

/// Creates a ConfigMap for a service without our labels, and waits until it is pruned.
fn await_pruned() {
    let service = VERDICTS.fetch(DOMAIN_SERVICES, "rent");
    let child = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "rent-settings-old",
            "ownerReferences": [{
                "apiVersion": "innkeeper.dev/v1alpha1",
                "kind": "DomainService",
                "name": "rent",
                "uid": service["metadata"]["uid"],
                "controller": true,
            }],
        },
    });
    VERDICTS.apply(&child.to_string());
    VERDICTS
        .kubectl(&["annotate", "domainservice", "rent", "touched=true"])
        .unwrap();
    VERDICTS.until("it is pruned", || {
        match VERDICTS.find(CONFIG_MAPS, "rent-settings-old") {
            None => Ok(()),
            Some(_) => Err(String::new()),
        }
    });
}

fn a_child_without_labels_is_pruned() {
    await_pruned();
}

fn a_pod_that_a_changed_label_took_goes_with_its_service() {
    await_nothing_told("rent");
    let pod = name(&VERDICTS.list_of_service(PODS, "rent")[0]);
    let label = format!("pod/{pod}");
    let lost = ["label", &label, "innkeeper.dev/service=lost", "--overwrite"];
    VERDICTS.kubectl(&lost).unwrap();
    VERDICTS.await_told("rent", &format!("Pod {pod} "));
    let owners = VERDICTS.fetch(PODS, &pod)["metadata"]["ownerReferences"].take();
    assert_eq!(owners[0]["kind"], "DomainService");
    assert_eq!(
        (owners.as_array().unwrap().len(), &owners[0]["controller"]),
        (1, &Value::Null)
    );
    assert_keeps_settings(&pod);
    VERDICTS.apply(&platform().without("rent").manifest());
    VERDICTS.until("the pod is gone", || match VERDICTS.find(PODS, &pod) {
        None => Ok(()),
        Some(_) => Err(String::new()),
    });
}

/// A lost pod may start again although no ReplicaSet names its settings any more, so the settings
/// must stay.
fn assert_keeps_settings(pod: &str) {
    let mounted = &VERDICTS.fetch(PODS, pod)["spec"]["volumes"];
    let mut volumes = mounted.as_array().unwrap().iter();
    let settings = volumes.find_map(|it| it["configMap"]["name"].as_str());
    let settings = settings.expect("a pod mounts its settings");
    let incarnation = platform().with("incarnation", json!(2));
    VERDICTS.apply(&incarnation.manifest());
    VERDICTS.until("the service has other settings", || {
        let deployment = VERDICTS.fetch(DEPLOYMENTS, "rent")["spec"].to_string();
        if deployment.contains(settings) {
            Err(deployment)
        } else {
            Ok(())
        }
    });
    let former = [
        "delete",
        "replicasets",
        "--selector",
        "innkeeper.dev/service=rent",
    ];
    VERDICTS.kubectl(&former).unwrap();
    await_pruned();
    assert!(VERDICTS.find(CONFIG_MAPS, settings).is_some());
}
