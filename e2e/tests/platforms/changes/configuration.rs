//! Configuration that a pod reads when it starts.

use std::collections::{BTreeMap, BTreeSet};

use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{CONFIG_MAPS, DEPLOYMENTS, PODS, REPLICA_SETS, name, text};
use serde_json::{Value, json};

use super::{COTTAGE, cottage};

/// How many old `ReplicaSet`s a Deployment keeps.
const KEPT: usize = 3;

fn configured(value: &str) -> Example {
    cottage().with_service("rent", "config", json!({ "env": { "DESK": value } }))
}

/// Names of the pods of each service that are not being deleted.
fn list_pods() -> BTreeMap<String, BTreeSet<String>> {
    let mut pods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pod in COTTAGE.list(PODS) {
        if pod["metadata"]["deletionTimestamp"].is_null() {
            let service = text(&pod["metadata"]["labels"]["innkeeper.dev/service"]);
            pods.entry(service).or_default().insert(name(&pod));
        }
    }
    pods
}

fn list_config_maps() -> BTreeSet<String> {
    let all = COTTAGE.list_of_service(CONFIG_MAPS, "rent");
    all.iter().map(name).collect()
}

/// Names of the ConfigMaps in the `ReplicaSet`s of the service `rent`.
fn list_named_by_replica_sets() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for set in COTTAGE.list_of_service(REPLICA_SETS, "rent") {
        let pod = &set["spec"]["template"]["spec"];
        let volumes = pod["volumes"].as_array().unwrap().clone();
        named.extend(
            volumes
                .iter()
                .map(|volume| text(&volume["configMap"]["name"])),
        );
        let from = pod["containers"][0]["envFrom"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        named.extend(from.iter().map(|from| text(&from["configMapRef"]["name"])));
    }
    named.remove("");
    named
}

fn await_new_pod(of_before: &BTreeMap<String, BTreeSet<String>>) {
    COTTAGE.await_ready("cottage");
    COTTAGE.until("rent has one new pod", || {
        let now = list_pods();
        let is_new = now["rent"].len() == 1 && now["rent"].is_disjoint(&of_before["rent"]);
        if is_new {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
}

pub fn a_change_of_configuration_rolls_its_readers_and_nobody_else() {
    let fetch_generations = || -> Vec<(String, Value)> {
        let all = COTTAGE.list(DEPLOYMENTS);
        let others = all.iter().filter(|it| name(it) != "rent");
        others
            .map(|it| (name(it), it["metadata"]["generation"].clone()))
            .collect()
    };
    let (before, generations_before) = (list_pods(), fetch_generations());
    COTTAGE.apply(&configured("first").manifest());
    await_new_pod(&before);
    let (mut before, mut after) = (before, list_pods());
    before.remove("rent");
    after.remove("rent");
    assert_eq!(before, after);
    assert_eq!(generations_before, fetch_generations());
    COTTAGE
        .check_configured("rent", &json!({ "DESK": "first" }))
        .unwrap();
}

pub fn an_old_config_map_stays_as_long_as_its_replica_set() {
    let first = list_config_maps();
    for change in 0..=KEPT {
        let before = list_pods();
        COTTAGE.apply(&configured(&change.to_string()).manifest());
        await_new_pod(&before);
        if change == 0 {
            assert!(
                list_config_maps().is_superset(&first),
                "{:?}",
                list_config_maps()
            );
        }
    }
    COTTAGE.until("exactly what ReplicaSets name is left", || {
        let (left, named) = (list_config_maps(), list_named_by_replica_sets());
        let sets = COTTAGE.list_of_service(REPLICA_SETS, "rent").len();
        let pruned = !left.is_superset(&first) && sets == KEPT + 1;
        if left == named && pruned {
            Ok(())
        } else {
            Err(format!("{left:?}, {sets} sets name {named:?}"))
        }
    });
}
