//! Changes that people make with kubectl behind the operator's back: it reverts and reports them,
//! and keeps what belongs to these people.

use innkeeper_cluster::command::read_output;
use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{
    DEPLOYMENTS, DISRUPTION_BUDGETS, DOMAIN_SERVICES, EVENTS, ResourcePath, SERVICES, text,
};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::site::site;
use serde_json::{Value, json};

const MANUAL: Namespace = Namespace("manual");

pub fn lane() -> Lane {
    Lane {
        name: "manual",
        namespaces: &["manual"],
        claims: claims![
            what_kubectl_changes_is_taken_back,
            an_undone_rollout_is_taken_back,
            what_was_taken_back_is_told_without_values,
            a_field_patched_into_a_service_does_not_stay,
            a_label_that_somebody_takes_is_put_back,
            a_restart_stays,
            what_others_wrote_stays_and_is_named,
            a_number_of_pods_stays_with_an_autoscaler,
        ],
    }
}

fn manual() -> Example {
    Example::small("manual")
}

/// A change by hand, and how to see that it was made.
#[derive(Clone)]
struct Change {
    command: &'static [&'static str],
    kind: ResourcePath,
    name: &'static str,
    /// JSON pointer to the changed value, and the value that the operator restores.
    pointer: &'static str,
    described: Value,
}

const POD: &str = "/spec/template/spec";

fn change(
    command: &'static [&'static str],
    name: &'static str,
    pointer: &'static str,
    described: Value,
) -> Change {
    Change {
        command,
        kind: DEPLOYMENTS,
        name,
        pointer,
        described,
    }
}

/// Changes by specific kubectl commands.
fn commands() -> Vec<Change> {
    let image = MANUAL.fetch(DEPLOYMENTS, "rent");
    let image = image.pointer("/spec/template/spec/containers/0/image");
    vec![
        change(
            &["set", "env", "deployment/pay", "WHISPERED=secret"],
            "pay",
            "/spec/template/spec/containers/0/env",
            Value::Null,
        ),
        change(
            &[
                "set",
                "image",
                "deployment/rent",
                "service=elsewhere.test/x:1",
            ],
            "rent",
            "/spec/template/spec/containers/0/image",
            image.cloned().unwrap_or_default(),
        ),
        change(
            &["scale", "deployment/myreservation", "--replicas=3"],
            "myreservation",
            "/spec/replicas",
            json!(1),
        ),
    ]
}

/// Changes by every type of patch.
fn patches() -> Vec<Change> {
    vec![
        change(
            &[
                "patch",
                "deployment/reservation",
                r#"--patch={"spec":{"template":{"spec":{"containers":[{"name":"second","image":"elsewhere.test/x:1"}]}}}}"#,
            ],
            "reservation",
            "/spec/template/spec/containers/1",
            Value::Null,
        ),
        change(
            &[
                "patch",
                "deployment/rent",
                "--type=merge",
                r#"--patch={"spec":{"minReadySeconds":60}}"#,
            ],
            "rent",
            "/spec/minReadySeconds",
            json!(3),
        ),
        change(
            &[
                "patch",
                "deployment/gateway",
                "--type=json",
                r#"--patch=[{"op":"add","path":"/spec/template/spec/hostAliases","value":[{"ip":"198.18.0.9","hostnames":["x"]}]}]"#,
            ],
            "gateway",
            "/spec/template/spec/hostAliases",
            Value::Null,
        ),
        Change {
            kind: DISRUPTION_BUDGETS,
            ..change(
                &[
                    "patch",
                    "poddisruptionbudget/pay",
                    "--type=merge",
                    r#"--patch={"spec":{"minAvailable":1,"maxUnavailable":null}}"#,
                ],
                "pay",
                "/spec",
                MANUAL.fetch(DISRUPTION_BUDGETS, "pay")["spec"].clone(),
            )
        },
    ]
}

fn await_described(change: &Change) {
    MANUAL.until(&format!("{} is as described", change.pointer), || {
        let object = MANUAL.fetch(change.kind, change.name);
        let now = object.pointer(change.pointer).cloned().unwrap_or_default();
        if now == change.described {
            Ok(())
        } else {
            Err(now.to_string())
        }
    });
}

fn what_kubectl_changes_is_taken_back() {
    MANUAL.create();
    MANUAL.create_secret();
    MANUAL.apply(&manual().manifest());
    MANUAL.await_ready("manual");
    let changes = [commands(), patches()].concat();
    for change in &changes {
        MANUAL.kubectl(change.command).unwrap();
    }
    let grace = format!("{POD}/terminationGracePeriodSeconds");
    let seconds = MANUAL.fetch(DEPLOYMENTS, "pay");
    let seconds = seconds.pointer(&grace).cloned().unwrap_or_default();
    let mut edit = site().cluster.kubectl();
    edit.args(["--namespace", "manual", "edit", "deployment/pay"]);
    let script = "s/terminationGracePeriodSeconds: .*/terminationGracePeriodSeconds: 7/";
    edit.env("KUBE_EDITOR", format!("sed -i '{script}'"));
    read_output(&mut edit).unwrap();
    let applied = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "gateway" },
        "spec": { "template": { "spec": { "priorityClassName": "system-node-critical" } } },
    });
    let server_side = ["apply", "--server-side", "--force-conflicts"];
    MANUAL
        .kubectl_with_file(&server_side, &applied.to_string())
        .unwrap();
    changes.iter().for_each(await_described);
    await_described(&change(
        &[],
        "pay",
        "/spec/template/spec/terminationGracePeriodSeconds",
        seconds,
    ));
    await_described(&change(
        &[],
        "gateway",
        "/spec/template/spec/priorityClassName",
        Value::Null,
    ));
    MANUAL.await_ready("manual");
}

fn an_undone_rollout_is_taken_back() {
    let template = || MANUAL.fetch(DEPLOYMENTS, "pay")["spec"]["template"].clone();
    let env = json!({ "env": { "ROLLED": "yes" } });
    let before = template();
    MANUAL.apply(&manual().with_service("pay", "config", env).manifest());
    MANUAL.until("the change is rolled out", || {
        if template() == before {
            Err("not yet".to_owned())
        } else {
            Ok(())
        }
    });
    MANUAL.await_ready("manual");
    let described = template();
    let undo = ["rollout", "undo", "deployment/pay"];
    MANUAL.kubectl(&undo).unwrap();
    MANUAL.until("it is taken back and told", || {
        let notes = list_notes();
        let told = "spec.template.spec.volumes[settings].configMap.name (kubectl)";
        let is_told = notes.iter().any(|it| it.contains(told));
        if is_told && template() == described {
            Ok(())
        } else {
            Err(format!("{notes:?}"))
        }
    });
    MANUAL.await_ready("manual");
}

/// The operator's events about changes that it has reverted.
fn list_notes() -> Vec<String> {
    let events = MANUAL.list(EVENTS).into_iter();
    let told = events.filter(|event| event["reason"] == "PutBack");
    told.map(|event| text(&event["note"])).collect()
}

fn what_was_taken_back_is_told_without_values() {
    let notes = list_notes();
    for told in [
        "spec.template.spec.containers[service].env[WHISPERED] (kubectl-set)",
        "spec.template.spec.containers[service].image (kubectl-set)",
        "spec.template.spec.containers[second] (kubectl-patch)",
        "spec.replicas (kubectl)",
    ] {
        assert!(
            notes.iter().any(|it| it.contains(told)),
            "{told}: {notes:?}"
        );
    }
    for value in ["secret", "elsewhere.test", "198.18.0.9"] {
        assert!(
            !notes.iter().any(|it| it.contains(value)),
            "{value}: {notes:?}"
        );
    }
}

fn a_field_patched_into_a_service_does_not_stay() {
    let patch = ["patch", "domainservice/rent", "--type=merge"];
    let replicas = r#"--patch={"spec":{"replicas":3}}"#;
    MANUAL.kubectl(&[&patch[..], &[replicas]].concat()).unwrap();
    await_described(&Change {
        kind: DOMAIN_SERVICES,
        ..change(&[], "rent", "/spec/replicas", Value::Null)
    });
    await_described(&change(&[], "rent", "/spec/replicas", json!(1)));
    // The patched field would make this invalid.
    let autoscaling =
        json!({ "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 1000 });
    let scaled = manual().with_service("rent", "autoscaling", autoscaling);
    MANUAL.apply(&scaled.manifest());
    MANUAL.await_ready("manual");
}

/// Without its label the operator's own watch does not show the object any more.
fn a_label_that_somebody_takes_is_put_back() {
    let label = "app.kubernetes.io/managed-by";
    for kind in [DEPLOYMENTS, SERVICES] {
        let object = format!("{}/rent", kind.plural);
        MANUAL
            .kubectl(&["label", &object, &format!("{label}-")])
            .unwrap();
        MANUAL.until("the label is back", || {
            match &MANUAL.fetch(kind, "rent")["metadata"]["labels"][label] {
                Value::Null => Err(object.clone()),
                _ => Ok(()),
            }
        });
    }
}

fn a_restart_stays() {
    MANUAL
        .kubectl(&["rollout", "restart", "deployment/reservation"])
        .unwrap();
    MANUAL.await_ready("manual");
    let deployment = MANUAL.fetch(DEPLOYMENTS, "reservation");
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string());
    let said = MANUAL.await_reason("reservation", "Ready");
    assert!(!said.contains("restartedAt"), "{said}");
}

fn what_others_wrote_stays_and_is_named() {
    let patch = r#"--patch={"spec":{"template":{"spec":{"hostAliases":[{"ip":"198.18.0.9","hostnames":["x"]}]}}}}"#;
    MANUAL
        .kubectl(&["patch", "deployment/pay", "--field-manager=k9s", patch])
        .unwrap();
    let told = "Deployment pay has fields of k9s: spec.template.spec.hostAliases";
    MANUAL.until("the message names them", || {
        match MANUAL.await_reason("pay", "Ready") {
            said if said.contains(told) => Ok(()),
            said => Err(said),
        }
    });
    let deployment = MANUAL.fetch(DEPLOYMENTS, "pay");
    assert!(deployment["spec"]["template"]["spec"]["hostAliases"].is_array());
}

fn a_number_of_pods_stays_with_an_autoscaler() {
    MANUAL
        .kubectl(&["scale", "deployment/rent", "--replicas=2"])
        .unwrap();
    MANUAL.until(
        "the operator has left the number to others",
        || match fetch_owners_of_the_number("rent") {
            owners if owners.is_empty() || is_ours(&owners) => Err(format!("{owners:?}")),
            _ => Ok(()),
        },
    );
    // How the autoscaler reacts does not matter here.
    MANUAL.await_ready("manual");
    let owners = fetch_owners_of_the_number("rent");
    assert!(!is_ours(&owners), "{owners:?}");
}

/// The managers that own a Deployment's number of pods.
fn fetch_owners_of_the_number(name: &str) -> Vec<String> {
    let deployment = MANUAL.fetch(DEPLOYMENTS, name);
    let entries = deployment["metadata"]["managedFields"].as_array().cloned();
    let owners = entries.unwrap_or_default().into_iter();
    let owners = owners.filter(|it| it["fieldsV1"]["f:spec"]["f:replicas"].is_object());
    owners.map(|it| text(&it["manager"])).collect()
}

fn is_ours(owners: &[String]) -> bool {
    owners.iter().any(|owner| owner == "innkeeper")
}
