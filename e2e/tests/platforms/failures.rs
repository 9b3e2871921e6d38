//! Pods that do not start: the status of their service says why.

use std::time::Duration;

use innkeeper_cluster::deadline::until;
use innkeeper_e2e::kubernetes::{PLATFORMS, PODS, message, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, postgres};
use serde_json::{Value, json};

const FAILURES: Namespace = Namespace("failures");

/// A user of the database who may not create schemas in it.
const USER: &str = "failures";
const PASSWORD: &str = "may-do-nothing-yet";
const SECRET: &str = "failures-database";

/// How long three restarts may take: the kubelet waits 10, 20 and 40 s before them at most.
const THREE_RESTARTS: Duration = Duration::from_mins(4);

pub fn lane() -> Lane {
    Lane {
        name: "failures",
        namespaces: &["failures"],
        claims: claims![
            what_the_kubelet_says_of_a_pod_that_waits_is_told,
            the_last_words_of_a_process_are_told,
            a_process_that_ends_again_and_again_stalls_its_platform,
            a_service_goes_on_once_it_was_helped,
        ],
    }
}

/// A platform of one booking service, with these fields.
fn platform(name: &str, fields: &Value) -> Value {
    let mut service = json!({
        "name": name,
        "path": format!("/{name}"),
        "booking": { "fields": { "item": "sauceId" } },
        "resources": { "requests": { "cpu": "10m", "memory": "16Mi" } },
        "database": database(SECRET),
    });
    let fields = fields.as_object().unwrap().clone();
    service.as_object_mut().unwrap().extend(fields);
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "BookingPlatform",
        "metadata": { "name": name },
        "spec": { "services": [
            { "name": format!("{name}-gateway"), "replicas": 0, "gateway": {} },
            service,
        ] },
    })
}

/// The database of the chart's defaults, with the credentials of this Secret.
fn database(secret: &str) -> Value {
    let address = innkeeper_e2e::site::site().cluster.postgres();
    json!({ "postgres": {
        "host": address.ip().to_string(),
        "port": address.port(),
        "database": postgres::DATABASE,
        "secretRef": { "name": secret },
    } })
}

/// Waits until a pod of a service is in a state, by a JSON pointer into its first container's
/// status, and then until its service tells of it.
fn await_told_of(service: &str, state: &str, words: &str) -> String {
    FAILURES.until(&format!("a pod of {service} has {state}"), || {
        let pods = FAILURES.list_of_service(PODS, service);
        let status = |pod: &Value| pod["status"]["containerStatuses"][0].clone();
        match pods.iter().find(|pod| status(pod).pointer(state).is_some()) {
            Some(_) => Ok(()),
            None => Err(format!("{:?}", pods.iter().map(status).collect::<Vec<_>>())),
        }
    });
    FAILURES.await_noticed(service, words)
}

fn what_the_kubelet_says_of_a_pod_that_waits_is_told() {
    FAILURES.create();
    let database_without_secret = json!({ "database": database("nowhere") });
    let variable =
        json!({ "secrets": { "env": { "KEY": { "secret": "no-keys", "key": "one" } } } });
    FAILURES.apply(&platform("volume", &database_without_secret).to_string());
    FAILURES.apply(&secret().to_string());
    FAILURES.apply(&platform("variable", &variable).to_string());
    let mut image = platform("image", &json!({}));
    image["spec"]["image"] = json!("localhost:1/nowhere:0.3.0");
    FAILURES.apply(&image.to_string());
    let much = json!({ "resources": { "requests": { "cpu": "4000" } } });
    FAILURES.apply(&platform("node", &much).to_string());

    FAILURES.await_told(
        "volume",
        "FailedMount: MountVolume.SetUp failed for volume \"database\" : secret \"nowhere\" not found",
    );
    let waiting = "/state/waiting";
    let words = "CreateContainerConfigError: secret \"no-keys\" not found";
    await_told_of("variable", waiting, words);
    await_told_of("image", waiting, "localhost:1/nowhere:0.3.0");
    FAILURES.await_told("node", "Insufficient cpu");
    FAILURES.until("the platform says so, too", || {
        match message(&FAILURES.fetch(PLATFORMS, "volume"), "Reconciling")? {
            said if said.contains("secret \"nowhere\" not found") => Ok(()),
            said => Err(said),
        }
    });
    let all = [
        "delete",
        "bookingplatform",
        "volume",
        "variable",
        "image",
        "node",
    ];
    FAILURES.kubectl(&all).unwrap();
}

/// The Secret with the credentials of that user.
fn secret() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": SECRET },
        "stringData": { "username": USER, "password": PASSWORD },
    })
}

fn the_last_words_of_a_process_are_told() {
    postgres::create_role(USER, PASSWORD);
    FAILURES.apply(&platform("right", &json!({})).to_string());
    let ended = "/lastState/terminated";
    let said = await_told_of("right", ended, "grant the user CREATE on the database");
    assert!(said.contains("exit code 1: error: "), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

fn a_process_that_ends_again_and_again_stalls_its_platform() {
    let stalled = || message(&FAILURES.fetch(PLATFORMS, "right"), "Stalled");
    let said = until("a platform in a crash loop stalls", THREE_RESTARTS, stalled).unwrap();
    assert!(said.contains("right: CrashLoop: "), "{said}");
    assert!(
        said.contains("grant the user CREATE on the database"),
        "{said}"
    );
    // While the kubelet starts the container again, it has no log of the one before.
    FAILURES.until("its log says so, too", || {
        match FAILURES.try_obey(&said)? {
            log if log.contains("grant the user CREATE") => Ok(()),
            log => Err(log),
        }
    });
}

fn a_service_goes_on_once_it_was_helped() {
    postgres::query(&format!(
        "GRANT CREATE ON DATABASE {} TO {USER}",
        postgres::DATABASE
    ));
    // It starts again by itself, but only when the kubelet has waited long enough.
    for pod in FAILURES.list_of_service(PODS, "right") {
        let name = text(&pod["metadata"]["name"]);
        FAILURES.kubectl(&["delete", "pod", &name]).unwrap();
    }
    FAILURES.await_ready("right");
    FAILURES
        .kubectl(&["delete", "bookingplatform", "right"])
        .unwrap();
}
