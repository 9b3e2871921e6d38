//! Which fields of an object a write has changed, for the log. Values are not logged, because they
//! may be secret.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fields::{item_path, join, key_of};
use crate::names::APPLIED_ANNOTATION;

/// The metadata that clients write; the API server maintains the rest.
const METADATA: [&str; 4] = ["labels", "annotations", "ownerReferences", "finalizers"];

/// The fields that differ between two versions of an object. The annotation with the hash is
/// included only if nothing else differs.
pub fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    let empty = json!({});
    for field in METADATA {
        let [before, after] = [before, after].map(|it| it["metadata"].get(field).unwrap_or(&empty));
        compare(before, after, &join("metadata", field), &mut found);
    }
    let fields = |object: &Value| -> BTreeSet<String> {
        let fields = object.as_object().into_iter().flatten();
        fields.map(|(field, _)| field.clone()).collect()
    };
    for field in fields(before).union(&fields(after)) {
        if !["apiVersion", "kind", "metadata", "status"].contains(&field.as_str()) {
            compare(&before[field], &after[field], field, &mut found);
        }
    }
    let recorded = join("metadata.annotations", APPLIED_ANNOTATION);
    if found.len() > 1 {
        found.remove(&recorded);
    }
    found.into_iter().collect()
}

fn compare(before: &Value, after: &Value, path: &str, found: &mut BTreeSet<String>) {
    let none = Value::Null;
    match (before, after) {
        _ if before == after => {}
        (Value::Object(one), Value::Object(other)) => {
            for field in one.keys().chain(other.keys()) {
                let [before, after] = [one, other].map(|it| it.get(field).unwrap_or(&none));
                compare(before, after, &join(path, field), found);
            }
        }
        (Value::Array(one), Value::Array(other))
            if one.iter().chain(other).all(|it| key_of(it).is_some()) =>
        {
            for (index, item) in one.iter().chain(other).enumerate() {
                let same = |it: &&Value| key_of(it) == key_of(item);
                let [before, after] = [one, other].map(|it| it.iter().find(same).unwrap_or(&none));
                compare(before, after, &item_path(path, item, index), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(hash: &str, image: &str, env: &Value) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "pay",
                "resourceVersion": hash,
                "annotations": { "innkeeper.dev/applied": hash },
            },
            "spec": { "containers": [{ "name": "service", "image": image, "env": env }] },
            "status": { "replicas": hash },
        })
    }

    #[test]
    fn a_change_is_told_by_its_fields_and_not_by_its_values() {
        let before = deployment(
            "1",
            "innkeeper:1",
            &json!([{ "name": "A", "value": "secret" }]),
        );
        let after = deployment(
            "2",
            "innkeeper:2",
            &json!([{ "name": "B", "value": "hidden" }]),
        );
        assert_eq!(
            changes(&before, &after),
            [
                "spec.containers[service].env[A]",
                "spec.containers[service].env[B]",
                "spec.containers[service].image",
            ]
        );
    }

    #[test]
    fn a_recorded_hash_alone_is_told() {
        let [before, after] = ["1", "2"].map(|hash| deployment(hash, "innkeeper:1", &json!([])));
        assert_eq!(
            changes(&before, &after),
            ["metadata.annotations[innkeeper.dev/applied]"]
        );
        assert_eq!(changes(&before, &before), Vec::<String>::new());
        let mut bare = before;
        bare["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("annotations");
        assert_eq!(
            changes(&bare, &after),
            ["metadata.annotations[innkeeper.dev/applied]"]
        );
    }
}
