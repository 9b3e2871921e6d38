//! What the operator brings by itself: an upgrade restarts no pod, new defaults of the installation
//! reach one platform after another, and wrong ones no further than the first.

use std::thread::sleep;
use std::time::Duration;

use innkeeper_e2e::claims;
use innkeeper_e2e::kubernetes::{DEPLOYMENTS, PLATFORMS, PODS, REPLICA_SETS, condition, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::operator::{self, install_whole, install_whole_with};
use innkeeper_e2e::site::site;
use serde_json::{Value, json};

const DEFAULTS: Namespace = Namespace("defaults");

const NAMES: [&str; 3] = ["east", "north", "west"];

pub fn lane() -> Lane {
    Lane {
        name: "defaults",
        namespaces: &["innkeeper-system", "defaults"],
        claims: claims![
            pods_of_an_earlier_release_are_not_restarted,
            wrong_defaults_stop_at_one_platform,
            right_ones_go_on_from_there_one_platform_after_another,
        ],
    }
}

/// A platform whose gateway is off and whose booking service has one pod.
fn platform(name: &str) -> String {
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "BookingPlatform",
        "metadata": { "name": name },
        "spec": { "services": [
            { "name": format!("{name}-gateway"), "replicas": 0, "gateway": {} },
            {
                "name": name,
                "path": format!("/{name}"),
                "booking": { "fields": { "item": "sauceId" } },
                "resources": { "requests": { "cpu": "10m", "memory": "16Mi" } },
            },
        ] },
    })
    .to_string()
}

/// Installs the chart with these brokers, for the platforms of this lane alone: others would have
/// their turns as well.
fn install_with_brokers(brokers: &str) {
    // Helm separates values by commas.
    let brokers = format!("kafka.bootstrapServers={}", brokers.replace(',', "\\,"));
    let own = format!("watchNamespace={}", DEFAULTS.0);
    install_whole_with(&["--set-string", &brokers, "--set-string", &own]);
}

/// The brokers that a platform has by default, and whether it is ready.
fn state(name: &str) -> (String, bool) {
    let platform = DEFAULTS.fetch(PLATFORMS, name);
    let ready = condition(&platform, "Ready");
    (
        text(&platform["status"]["defaults"]["bootstrapServers"]),
        ready.is_some_and(|it| it["status"] == "True"),
    )
}

/// The platforms whose brokers are these, each with whether it is ready.
fn with_brokers(brokers: &str) -> Vec<(&'static str, bool)> {
    let states = NAMES.map(|name| (name, state(name)));
    let has_them = states.into_iter().filter(|(_, (has, _))| has == brokers);
    has_them
        .map(|(name, (_, is_ready))| (name, is_ready))
        .collect()
}

/// The policy of the pods that a Deployment asks for.
fn fetch_policy(deployment: &str) -> String {
    let deployment = DEFAULTS.fetch(DEPLOYMENTS, deployment);
    let pod = &deployment["spec"]["template"]["spec"];
    text(&pod["containers"][0]["terminationMessagePolicy"])
}

fn pods_of_an_earlier_release_are_not_restarted() {
    DEFAULTS.create();
    DEFAULTS.create_secret();
    for name in NAMES {
        DEFAULTS.apply(&platform(name));
    }
    for name in NAMES {
        DEFAULTS.await_ready(name);
    }
    let kubectl = |arguments: &[&str]| DEFAULTS.kubectl(arguments).unwrap();
    operator::scale(0);
    let policy = "/spec/template/spec/containers/0/terminationMessagePolicy";
    let patch = json!([{ "op": "replace", "path": policy, "value": "File" }]);
    let patch = format!("--patch={patch}");
    let former = ["--type=json", &patch, "--field-manager=innkeeper"];
    kubectl(&[&["patch", "deployment", "east"], &former[..]].concat());
    kubectl(&["rollout", "status", "deployment/east", "--timeout=90s"]);
    let pods = || {
        let pods = DEFAULTS.list_of_service(PODS, "east").into_iter();
        let staying = pods.filter(|it| it["metadata"]["deletionTimestamp"].is_null());
        staying
            .map(|it| text(&it["metadata"]["uid"]))
            .collect::<Vec<_>>()
    };
    let before = pods();
    operator::scale(1);
    let applied = || {
        let deployment = DEFAULTS.fetch(DEPLOYMENTS, "east");
        text(&deployment["metadata"]["annotations"]["innkeeper.dev/applied"])
    };
    let hash = applied();
    DEFAULTS.until("the operator has applied it", || match applied() {
        now if now == hash => Err(now),
        _ => Ok(()),
    });
    DEFAULTS.await_ready("east");
    assert_eq!((pods(), fetch_policy("east")), (before, "File".to_owned()));

    let mut changed: Value = serde_json::from_str(&platform("east")).unwrap();
    changed["spec"]["services"][1]["resources"]["requests"]["memory"] = json!("17Mi");
    DEFAULTS.apply(&changed.to_string());
    DEFAULTS.until("what changes brings the rest", || {
        match fetch_policy("east") {
            policy if policy == "FallbackToLogsOnError" => Ok(()),
            policy => Err(policy),
        }
    });
    DEFAULTS.await_ready("east");
}

fn wrong_defaults_stop_at_one_platform() {
    let right = site().cluster.kafka();
    let (host, _) = right.rsplit_once(':').unwrap();
    let wrong = format!("{host}:1");
    install_with_brokers(&wrong);
    DEFAULTS.until("a platform has the wrong brokers", || {
        match with_brokers(&wrong).as_slice() {
            [(_, false)] => Ok(()),
            others => Err(format!("{others:?}")),
        }
    });
    // Long enough for the others, which look when the operator starts and every half a minute.
    sleep(Duration::from_secs(40));
    assert_eq!(with_brokers(&wrong).len(), 1);
    let others = with_brokers(&right);
    assert!(
        matches!(others.as_slice(), [(_, true), (_, true)]),
        "{others:?}"
    );
    for (name, _) in others {
        let said = DEFAULTS.await_state(PLATFORMS, name, "Ready");
        assert!(said.contains("New defaults of the installation"), "{said}");
    }
}

/// When the newest pods of a platform's service were asked for, and when the platform was ready.
fn rollout(name: &str) -> (String, String) {
    let sets = DEFAULTS.list_of_service(REPLICA_SETS, name).into_iter();
    let begun = sets
        .map(|it| text(&it["metadata"]["creationTimestamp"]))
        .max();
    let platform = DEFAULTS.fetch(PLATFORMS, name);
    let ready = condition(&platform, "Ready").cloned().unwrap_or_default();
    (begun.unwrap(), text(&ready["lastTransitionTime"]))
}

fn right_ones_go_on_from_there_one_platform_after_another() {
    let kafka = site().cluster.kafka();
    let twice = format!("{kafka},{kafka}");
    install_with_brokers(&twice);
    DEFAULTS.until(
        "every platform is ready with the new brokers",
        || match with_brokers(&twice).as_slice() {
            [(_, true), (_, true), (_, true)] => Ok(()),
            others => Err(format!("{others:?}")),
        },
    );
    let mut rollouts = NAMES.map(rollout);
    rollouts.sort();
    DEFAULTS
        .kubectl(&["delete", "bookingplatforms", "--all"])
        .unwrap();
    install_whole();
    for pair in rollouts.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two at once: {rollouts:?}");
    }
}
