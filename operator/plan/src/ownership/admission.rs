//! What admission changed in an object that was sent. Such changes are reported and never fought.
//! No manager owns them, so they are found by comparing values.

use innkeeper_crds::workload::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::fields::{Tree, item_path, join, key_of, tree};

/// Where admission may add values that no default explains: maps, and the lists of a pod whose
/// items have names.
const OPEN: [&[&str]; 7] = [
    &["metadata", "annotations"],
    &["metadata", "labels"],
    &["spec", "template", "metadata", "annotations"],
    &["spec", "template", "metadata", "labels"],
    &["spec", "template", "spec", "containers"],
    &["spec", "template", "spec", "initContainers"],
    &["spec", "template", "spec", "volumes"],
];

/// The fields that differ from what was sent although no manager took them, and the fields that
/// nobody sent.
pub fn altered(sent: &Value, seen: &Value, entries: &[ManagedFieldsEntry]) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["labels", "annotations", "ownerReferences"] {
        let [sent, seen] = [sent, seen].map(|it| &it["metadata"][field]);
        compare(sent, seen, &join("metadata", field), &mut found);
    }
    for (field, value) in sent.as_object().into_iter().flatten() {
        if !["apiVersion", "kind", "metadata", "status"].contains(&field.as_str()) {
            compare(value, &seen[field], field, &mut found);
        }
    }
    for fields in OPEN {
        added(sent, seen, fields, entries, &mut found);
    }
    found
}

fn compare(sent: &Value, seen: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, seen) {
        (Value::Object(sent), Value::Object(seen)) => {
            for (field, value) in sent {
                let seen = seen.get(field).unwrap_or(&Value::Null);
                compare(value, seen, &join(path, field), found);
            }
        }
        (Value::Array(sent), Value::Array(seen)) if sent.iter().all(|it| key_of(it).is_some()) => {
            for (index, item) in sent.iter().enumerate() {
                let mut seen = seen.iter().filter(|it| key_of(it) == key_of(item));
                let seen = seen.next().unwrap_or(&Value::Null);
                compare(item, seen, &item_path(path, item, index), found);
            }
        }
        (Value::Array(sent), Value::Array(seen)) if sent.len() == seen.len() => {
            for (index, (sent, seen)) in sent.iter().zip(seen).enumerate() {
                compare(sent, seen, &format!("{path}[{index}]"), found);
            }
        }
        _ if means_the_same(sent, seen) => {}
        _ => found.push(path.to_owned()),
    }
}

/// Whether two values mean the same: the API server omits empty values and normalizes quantities.
pub(crate) fn means_the_same(sent: &Value, seen: &Value) -> bool {
    let amount = |value: &Value| Quantity(value.as_str().unwrap_or_default().to_owned());
    sent == seen
        || (says_nothing(sent) && says_nothing(seen))
        || (amount(sent).thousandths() > 0
            && amount(sent).thousandths() == amount(seen).thousandths())
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn added(
    sent: &Value,
    seen: &Value,
    fields: &[&str],
    entries: &[ManagedFieldsEntry],
    found: &mut Vec<String>,
) {
    let [sent, seen] = [sent, seen].map(|it| it.pointer(&format!("/{}", fields.join("/"))));
    let trees: Vec<&Tree> = entries
        .iter()
        .filter_map(tree)
        .filter_map(|tree| below(tree, fields))
        .collect();
    let path = fields.join(".");
    match seen {
        Some(Value::Object(fields)) => found.extend(
            fields
                .keys()
                .filter(|key| sent.is_none_or(|sent| sent.get(key).is_none()))
                .filter(|key| !trees.iter().any(|it| it.contains_key(&format!("f:{key}"))))
                .map(|key| join(&path, key)),
        ),
        Some(Value::Array(items)) => {
            let names = |list: &Value| -> Vec<Option<String>> {
                list.as_array().into_iter().flatten().map(key_of).collect()
            };
            let sent = sent.map(names).unwrap_or_default();
            let owned = |item: &Value| {
                let element = format!("k:{{\"name\":{}}}", item["name"]);
                trees.iter().any(|it| it.contains_key(&element))
            };
            found.extend(
                items
                    .iter()
                    .filter(|item| !sent.contains(&key_of(item)) && !owned(item))
                    .enumerate()
                    .map(|(index, item)| item_path(&path, item, index)),
            );
        }
        _ => {}
    }
}

/// The part of a tree below a path of fields.
fn below<'a>(tree: &'a Tree, fields: &[&str]) -> Option<&'a Tree> {
    fields.iter().try_fold(tree, |tree, field| {
        tree.get(&format!("f:{field}"))?.as_object()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent() -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "pay", "annotations": { "a": "b" } },
            "spec": { "template": { "spec": { "containers": [{
                "name": "service",
                "image": "innkeeper:1",
                "args": ["serve", "pay"],
                "env": [{ "name": "EMPTY", "value": "" }],
                "resources": { "requests": { "cpu": "0.5", "memory": "1024Mi" } },
            }] } } },
        })
    }

    fn entries(fields: &Value) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(json!([{ "manager": "someone", "fieldsV1": fields }])).unwrap()
    }

    fn seen(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut seen = sent();
        change(&mut seen);
        let owned = json!({ "f:metadata": { "f:annotations": { "f:owned": {} } } });
        altered(&sent(), &seen, &entries(&owned))
    }

    fn container(object: &mut Value) -> &mut Value {
        &mut object["spec"]["template"]["spec"]["containers"][0]
    }

    #[test]
    fn a_rewritten_field_is_named() {
        let image = seen(|it| container(it)["image"] = json!("mirror/innkeeper:1"));
        assert_eq!(image, ["spec.template.spec.containers[service].image"]);
        let args = seen(|it| container(it)["args"] = json!(["serve"]));
        assert_eq!(args, ["spec.template.spec.containers[service].args"]);
        let gone = seen(|it| it["spec"]["template"]["spec"]["containers"] = json!([]));
        assert_eq!(gone, ["spec.template.spec.containers[service]"]);
        let stripped = seen(|it| it["metadata"]["annotations"] = json!({}));
        assert_eq!(stripped, ["metadata.annotations.a"]);
    }

    #[test]
    fn a_field_that_nobody_owns_is_named() {
        let stamped = seen(|it| {
            it["metadata"]["annotations"]["example.com/stamp"] = json!("1");
            it["metadata"]["annotations"]["owned"] = json!("1");
        });
        assert_eq!(stamped, ["metadata.annotations[example.com/stamp]"]);
        let injected = seen(|it| {
            let containers = &mut it["spec"]["template"]["spec"]["containers"];
            containers
                .as_array_mut()
                .unwrap()
                .push(json!({ "name": "proxy" }));
        });
        assert_eq!(injected, ["spec.template.spec.containers[proxy]"]);
    }

    #[test]
    fn normalization_by_the_api_server_is_no_change() {
        let found = seen(|it| {
            let container = container(it);
            container["resources"] = json!({ "requests": { "cpu": "500m", "memory": "1Gi" } });
            container["env"] = json!([{ "name": "EMPTY" }]);
            container["imagePullPolicy"] = json!("IfNotPresent");
            it["status"] = json!({ "replicas": 1 });
            it["metadata"]["resourceVersion"] = json!("9");
        });
        assert_eq!(found, Vec::<String>::new());
    }
}
