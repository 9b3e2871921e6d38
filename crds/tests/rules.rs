//! Tests of the rules for the kinds that users seldom write by hand.

use innkeeper_crds::{generate, rules};
use kube::core::cel::{Validator, apply_defaults};
use serde_json::{Value, json};

/// The messages of a kind's rules about an object, or about a change of it.
fn refusals(kind: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    let schema = generate::schema(kind).expect("the kind has a schema");
    let new = apply_defaults(&schema, new);
    let old = old.map(|old| apply_defaults(&schema, old));
    match Validator::new().validate(&schema, &new, old.as_ref()) {
        Ok(()) => Vec::new(),
        Err(errors) => errors
            .as_slice()
            .iter()
            .map(|error| error.message.clone())
            .collect(),
    }
}

fn topic(spec: &Value) -> Value {
    json!({ "metadata": { "name": "cars" }, "spec": spec })
}

fn change(old: &Value, new: &Value) -> Vec<String> {
    refusals("EventTopic", &topic(new), Some(&topic(old)))
}

#[test]
fn a_topic_of_ones_own_may_grow_but_not_shrink() {
    let of = |partitions: u32| json!({ "topicName": "cars", "partitions": partitions });
    assert_eq!(change(&of(12), &of(24)), Vec::<String>::new());
    assert_eq!(change(&of(12), &of(6)), [rules::A_TOPIC_DOES_NOT_SHRINK.1]);
}

#[test]
fn a_platforms_topic_neither_grows_nor_shrinks() {
    let of = |partitions: u32| json!({ "topicName": "cars", "platform": "cars", "partitions": partitions });
    assert_eq!(
        change(&of(12), &of(24)),
        [rules::A_PLATFORMS_OWN_TOPIC_DOES_NOT_GROW.1]
    );
    assert_eq!(change(&of(12), &of(6)), [rules::A_TOPIC_DOES_NOT_SHRINK.1]);
}

#[test]
fn a_topic_is_not_renamed() {
    let of = |name: &str| json!({ "topicName": name });
    assert_eq!(
        change(&of("cars"), &of("trucks")),
        [rules::A_TOPIC_KEEPS_ITS_NAME.1]
    );
}

/// The messages of the rules about a resolved service with these settings and further fields.
fn of_resolved(settings: &Value, further: &Value) -> Vec<String> {
    let mut spec = json!({
        "image": "innkeeper",
        "settings": { "namespace": "shop", "platform": "cars", "service": "pay" },
    });
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    spec["settings"]
        .as_object_mut()
        .expect("it is an object")
        .extend(fields(settings));
    spec.as_object_mut()
        .expect("it is an object")
        .extend(fields(further));
    refusals(
        "DomainService",
        &json!({ "metadata": { "name": "pay" }, "spec": spec }),
        None,
    )
}

#[test]
fn a_resolved_service_has_a_path_unless_it_is_a_gateway() {
    let (payment, gateway) = (
        json!({ "payment": {} }),
        json!({ "gateway": { "routes": [] } }),
    );
    let nothing = json!({});
    let with_path = |component: &Value| json!({ "component": component, "path": "/pays" });
    let without = |component: &Value| json!({ "component": component });
    assert_eq!(
        of_resolved(&with_path(&payment), &nothing),
        Vec::<String>::new()
    );
    assert_eq!(
        of_resolved(&without(&gateway), &nothing),
        Vec::<String>::new()
    );
    assert_eq!(
        of_resolved(&without(&payment), &nothing),
        [rules::A_RESOURCE_HAS_A_PATH.1]
    );
    assert_eq!(
        of_resolved(&with_path(&gateway), &nothing),
        [rules::A_GATEWAY_HAS_NO_PATH.1]
    );
}

#[test]
fn a_resolved_service_says_which_secret_its_database_takes() {
    let on = |database: &Value| json!({ "component": { "payment": {} }, "path": "/pays", "database": database });
    let postgres = on(&json!({ "postgres": {
        "host": "db", "database": "cars", "schema": "pay", "credentialsDir": "/etc/innkeeper/database",
    } }));
    let sqlite = on(&json!({ "sqlite": { "file": "pay.db" } }));
    let (secret, nothing) = (json!({ "databaseSecret": "db" }), json!({}));
    let refused = [rules::A_POSTGRES_DATABASE_HAS_A_SECRET.1];
    assert_eq!(of_resolved(&postgres, &secret), Vec::<String>::new());
    assert_eq!(of_resolved(&sqlite, &nothing), Vec::<String>::new());
    assert_eq!(of_resolved(&postgres, &nothing), refused);
    assert_eq!(of_resolved(&sqlite, &secret), refused);
    let scaled = json!({ "replicas": 2 });
    assert_eq!(
        of_resolved(&sqlite, &scaled),
        [rules::SQLITE_HAS_ONE_REPLICA.1]
    );
}

/// If a rule cannot be evaluated, the API server refuses the status of the object, too.
#[test]
fn every_rule_can_be_evaluated_on_what_an_earlier_release_wrote() {
    let former = json!({ "platform": "cars", "image": "innkeeper", "payment": {} });
    let object = json!({ "metadata": { "name": "pay" }, "spec": former });
    assert_eq!(
        refusals("DomainService", &object, None),
        Vec::<String>::new()
    );
}
