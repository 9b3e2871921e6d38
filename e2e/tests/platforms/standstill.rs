//! What was created and deleted while no operator ran is handled by the operator that starts later.

use innkeeper_e2e::kubernetes::{DEPLOYMENTS, DOMAIN_SERVICES, PLATFORMS, TOPICS, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, kafka, operator};
use serde_json::{Value, json};

use crate::deletion::{
    RECORDS, await_gone, await_records, begin, count_records_of, delete, fetch_backup, lose,
    platform, restore_with_status,
};

const STILL: Namespace = Namespace("standstill");

pub fn lane() -> Lane {
    Lane {
        name: "standstill",
        namespaces: &["innkeeper-system", "standstill"],
        claims: claims![
            an_operator_that_comes_back_deletes_what_was_to_go_and_nothing_else,
            services_of_an_earlier_release_are_written_anew_and_nothing_is_rolled,
            a_platform_of_an_earlier_release_keeps_its_topic,
        ],
    }
}

fn await_deletion(name: &str) {
    STILL.until("the garbage collector has found it", || {
        match &STILL.fetch(TOPICS, name)["metadata"]["deletionTimestamp"] {
            Value::Null => Err("not yet".to_owned()),
            _ => Ok(()),
        }
    });
}

fn an_operator_that_comes_back_deletes_what_was_to_go_and_nothing_else() {
    STILL.create();
    for name in ["gone", "restored-late", "anew"] {
        begin(STILL, name);
    }
    let backup = fetch_backup(STILL, "restored-late");
    lose(STILL, "restored-late");
    operator::scale(0);

    delete(STILL, &["bookingplatform", "gone"]);
    restore_with_status(STILL, &backup);
    let anew = STILL.topic("anew");
    kafka::delete(&anew);
    kafka::create(&anew, 3);
    kafka::produce(&anew, usize::try_from(RECORDS).unwrap());
    delete(STILL, &["bookingplatform", "anew"]);
    for name in ["gone", "restored-late", "anew"] {
        await_deletion(name);
    }
    STILL.apply(&platform("restored-late"));
    assert_eq!(count_records_of(STILL, "gone"), Some(RECORDS));

    operator::scale(1);
    for name in ["gone", "anew"] {
        await_gone(STILL, name);
    }
    await_records(STILL, &STILL.topic("gone"), None);
    STILL.await_ready("restored-late");
    assert_eq!(count_records_of(STILL, "restored-late"), Some(RECORDS));
    assert_eq!(count_records_of(STILL, "anew"), Some(RECORDS));
    STILL.await_event("TopicKept", "someone has made it anew");
}

/// The `CustomResourceDefinition` of DomainServices, as an argument of kubectl.
const DEFINITION: &str = "crd/domainservices.innkeeper.dev";

/// While this value lives, the `CustomResourceDefinition` accepts what an earlier release wrote.
struct FormerDefinition {
    /// The patch that restores the present definition.
    present: String,
}

impl FormerDefinition {
    fn begin() -> Self {
        let read = ["get", DEFINITION, "--output=json"];
        let definition: Value = serde_json::from_str(&STILL.kubectl(&read).unwrap()).unwrap();
        let versions = json!({ "spec": { "versions": definition["spec"]["versions"] } });
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
        let patch = json!([
            { "op": "remove", "path": format!("{spec}/required") },
            { "op": "remove", "path": format!("{spec}/x-kubernetes-validations") },
            { "op": "add", "path": format!("{spec}/x-kubernetes-preserve-unknown-fields"), "value": true },
        ]);
        let former = Self {
            present: format!("--patch={versions}"),
        };
        let patch = format!("--patch={patch}");
        let patched = STILL.kubectl(&["patch", DEFINITION, "--type=json", &patch]);
        patched.unwrap();
        former
    }
}

impl Drop for FormerDefinition {
    fn drop(&mut self) {
        let put_back = STILL.kubectl(&["patch", DEFINITION, "--type=merge", &self.present]);
        put_back.unwrap();
    }
}

/// A gateway as an earlier release applied it.
fn former_gateway(present: &Value) -> String {
    let mut metadata = present["metadata"].clone();
    let kept = ["name", "labels", "annotations", "ownerReferences"];
    let fields = metadata.as_object_mut().unwrap();
    fields.retain(|key, _| kept.contains(&key.as_str()));
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "DomainService",
        "metadata": metadata,
        "spec": {
            "platform": "upgraded",
            "incarnation": 1,
            "image": present["spec"]["image"],
            "gateway": {
                "serviceType": "ClusterIP",
                "routes": present["spec"]["settings"]["component"]["gateway"]["routes"],
            },
            "replicas": 0,
        },
    })
    .to_string()
}

/// Applies the platform with these booking services in this order, none of which runs a pod.
fn apply_in_order(names: [&str; 2]) {
    let mut platform: Value = serde_json::from_str(&platform("upgraded")).unwrap();
    let services = platform["spec"]["services"].as_array_mut().unwrap();
    services.extend(names.map(
        |name| json!({ "name": name, "path": format!("/{name}"), "replicas": 0, "booking": {} }),
    ));
    STILL.apply(&platform.to_string());
    STILL.await_ready("upgraded");
}

fn services_of_an_earlier_release_are_written_anew_and_nothing_is_rolled() {
    apply_in_order(["tours", "stays"]);
    // Existing services keep their order; the earlier release did the same.
    apply_in_order(["stays", "tours"]);
    let gateway = || STILL.fetch(DOMAIN_SERVICES, "upgraded-gateway");
    let rolled = || {
        let metadata = &STILL.fetch(DEPLOYMENTS, "upgraded-gateway")["metadata"];
        (text(&metadata["uid"]), metadata["generation"].as_i64())
    };
    let before = rolled();
    operator::scale(0);
    let definition = FormerDefinition::begin();
    STILL.until("the services are as an earlier release made them", || {
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=innkeeper",
        ];
        STILL.kubectl_with_file(&apply, &former_gateway(&gateway()))?;
        match &gateway()["spec"] {
            spec if spec["settings"].is_null() && spec["gateway"].is_object() => Ok(()),
            spec => Err(spec.to_string()),
        }
    });
    let by_hand = json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "DomainService",
        "metadata": { "name": "by-hand" },
        "spec": { "platform": "upgraded", "image": "innkeeper:0.1.0", "gateway": {} },
    });
    STILL.apply(&by_hand.to_string());
    drop(definition);

    operator::scale(1);
    STILL.until("it is written anew and was looked at", || {
        let gateway = gateway();
        let is_current =
            gateway["status"]["observedGeneration"] == gateway["metadata"]["generation"];
        if gateway["spec"]["settings"].is_object() && is_current {
            Ok(())
        } else {
            Err(gateway.to_string())
        }
    });
    STILL.await_ready("upgraded");
    let routes = gateway()["spec"]["settings"]["component"]["gateway"]["routes"].take();
    assert_eq!(
        (&routes[0]["service"], &routes[1]["service"]),
        (&json!("tours"), &json!("stays"))
    );
    assert_eq!(rolled(), before);
    let message = STILL.await_state(DOMAIN_SERVICES, "by-hand", "Stalled");
    assert!(message.contains("(Missing field settings)"), "{message}");
    assert!(message.contains("kubectl explain domainservices.spec"));
    let foreground = "--cascade=foreground";
    delete(
        STILL,
        &["domainservice", "by-hand", foreground, "--timeout=30s"],
    );
    delete(STILL, &["bookingplatform", "upgraded"]);
    await_gone(STILL, "upgraded");
}

/// The EventTopic that an earlier release created for a platform without a topic name.
fn former_topic(platform: &Value) -> Value {
    let name = text(&platform["metadata"]["name"]);
    json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "EventTopic",
        "metadata": {
            "name": name,
            "ownerReferences": [{
                "apiVersion": "innkeeper.dev/v1alpha1",
                "kind": "BookingPlatform",
                "name": name,
                "uid": platform["metadata"]["uid"],
                "controller": true,
            }],
        },
        "spec": { "topicName": name, "platform": name, "partitions": 3 },
    })
}

fn a_platform_of_an_earlier_release_keeps_its_topic() {
    operator::scale(0);
    STILL.apply(&platform("former"));
    let described = former_topic(&STILL.fetch(PLATFORMS, "former"));
    STILL.apply(&described.to_string());
    operator::scale(1);
    STILL.await_ready("former");
    let topics = || {
        let described = &STILL.fetch(TOPICS, "former")["spec"]["topicName"];
        let told = &STILL.fetch(PLATFORMS, "former")["status"]["topic"];
        (text(described), text(told))
    };
    let former = || "former".to_owned();
    assert_eq!(topics(), (former(), former()));
    kafka::produce("former", usize::try_from(RECORDS).unwrap());
    // Without its object, the platform's status tells which topic it has.
    let uid = || {
        STILL
            .find(TOPICS, "former")
            .map(|it| text(&it["metadata"]["uid"]))
    };
    let before = uid();
    delete(STILL, &["eventtopic", "former"]);
    STILL.until("it is made anew", || match uid() {
        now if now.is_some() && now != before => Ok(()),
        now => Err(format!("{now:?}")),
    });
    STILL.await_ready("former");
    assert_eq!(topics(), (former(), former()));
    assert_eq!(kafka::count_records("former"), Some(RECORDS));
    assert_eq!(count_records_of(STILL, "former"), None);
    delete(STILL, &["bookingplatform", "former"]);
    await_gone(STILL, "former");
}
