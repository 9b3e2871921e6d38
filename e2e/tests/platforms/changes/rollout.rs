//! What clients notice while pods are replaced, while nothing happens, and when a service is
//! removed.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use innkeeper_e2e::kubernetes::{
    AUTOSCALERS, DOMAIN_SERVICES, OURS, PODS, ResourcePath, name, text,
};
use innkeeper_e2e::load::Siege;
use serde_json::{Value, json};

use super::{COTTAGE, cottage};

/// The time in which nothing may be written.
const IDLE: Duration = Duration::from_mins(1);

/// A reservation in siege's format.
const RESERVATION: &str = r#"/reservations POST {"userName":"siege","carId":"1","price":"5"}"#;

/// Waits until the old pods are gone, and not only the new ones ready.
pub fn await_settled() {
    COTTAGE.await_ready("cottage");
    COTTAGE.until("the last pods of former days are gone", || {
        let pods = COTTAGE.list(PODS);
        let expected = cottage().names().len();
        if pods.len() == expected {
            Ok(())
        } else {
            Err(format!("{} pods", pods.len()))
        }
    });
}

pub fn a_rolling_change_under_load_drops_no_request() {
    await_settled();
    let load = Siege::begin(
        4,
        Duration::from_millis(20),
        &format!("{}{RESERVATION}", COTTAGE.fetch_gateway_url()),
    );
    let old = COTTAGE.list(PODS);
    let env = json!({ "env": { "ROLLED": "yes" } });
    let rolled = ["gateway", "reservation", "pay"];
    let mut changed = cottage();
    for service in rolled {
        changed = changed.with_service(service, "config", env.clone());
    }
    COTTAGE.apply(&changed.manifest());
    COTTAGE.until("none of the old pods is left", || {
        let now: Vec<String> = COTTAGE.list(PODS).iter().map(name).collect();
        let is_rolled = |pod: &&Value| {
            rolled.contains(&text(&pod["metadata"]["labels"]["innkeeper.dev/service"]).as_str())
        };
        let left: Vec<_> = old
            .iter()
            .filter(is_rolled)
            .map(name)
            .filter(|pod| now.contains(pod))
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
    await_settled();
    let count = load.end();
    assert!(count.answered > 100 && count.failed == 0, "{count:?}");
    COTTAGE.apply(&cottage().manifest());
}

/// The parts of an object that the operator writes, without the numbers in an autoscaler's status.
fn written(kind: ResourcePath, object: &Value) -> Value {
    if kind.plural == AUTOSCALERS.plural {
        let managers = object["metadata"]["managedFields"].as_array().unwrap();
        let ours = managers.iter().filter(|it| it["manager"] == "innkeeper");
        return ours.cloned().collect();
    }
    object["metadata"]["resourceVersion"].clone()
}

pub fn everything_written() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for kind in OURS {
        for object in COTTAGE.list(kind) {
            all.insert(
                format!("{} {}", kind.plural, name(&object)),
                written(kind, &object),
            );
        }
    }
    all
}

pub fn idleness_changes_nothing() {
    await_settled();
    let before = everything_written();
    assert!(before.len() > 25, "{before:?}");
    thread::sleep(IDLE);
    assert_eq!(before, everything_written());
}

pub fn a_removed_service_takes_its_objects_with_it() {
    let of_rent = || -> Vec<String> {
        let kinds = OURS.into_iter().chain([PODS]);
        let all = kinds.flat_map(|kind| COTTAGE.list_of_service(kind, "rent"));
        all.map(|object| name(&object)).collect()
    };
    assert!(of_rent().len() > 5, "{:?}", of_rent());
    COTTAGE.apply(&cottage().without("rent").manifest());
    COTTAGE.until("nothing of rent is left", || {
        let left = of_rent();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
    COTTAGE.await_ready("cottage");
    assert_eq!(COTTAGE.list(DOMAIN_SERVICES).len(), 4);
    // An old pod of the gateway may answer one more request.
    COTTAGE.until("its path is unknown", || {
        match COTTAGE.call("GET", "/rents", &Value::Null).status {
            404 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}
