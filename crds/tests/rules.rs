//! The rules of the kinds that users seldom write by hand.

use innkeeper_crds::{generate, rules};
use kube::core::cel::{Validator, apply_defaults};
use serde_json::{Value, json};

/// What the rules of a kind say of an object, or of a change of it.
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

#[test]
fn a_resolved_service_is_one_thing_too() {
    let of = |blocks: Value| {
        let mut spec = json!({ "platform": "cars", "image": "innkeeper", "path": "/pays" });
        let fields = spec.as_object_mut().expect("it is an object");
        fields.extend(blocks.as_object().cloned().unwrap_or_default());
        json!({ "metadata": { "name": "pay" }, "spec": spec })
    };
    let one = of(json!({ "payment": {} }));
    let two = of(json!({ "payment": {}, "booking": {} }));
    assert_eq!(refusals("DomainService", &one, None), Vec::<String>::new());
    assert_eq!(
        refusals("DomainService", &two, None),
        [rules::ONE_COMPONENT.1]
    );
    assert_eq!(
        refusals("DomainService", &of(json!({})), None),
        [rules::ONE_COMPONENT.1]
    );
}
