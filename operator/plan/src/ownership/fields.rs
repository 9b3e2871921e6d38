//! Paths of fields as `managedFields` writes them (FieldsV1): `f:` is a field, `k:` a list item by
//! its keys, `v:` an item by its value, and `.` the value itself. A path with nothing below it is a
//! leaf: a scalar, or a value that is owned as a whole.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

/// A tree of field paths.
pub(super) type Tree = Map<String, Value>;

/// The path element that stands for the value itself.
const ITSELF: &str = ".";
/// The fields that distinguish the items of a list, the most specific ones first.
const KEYS: [&str; 7] = [
    "mountPath",
    "name",
    "uid",
    "containerPort",
    "port",
    "topologyKey",
    "key",
];
/// Metadata that the API server fills in, so that nobody owns it.
const IDENTITY: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
];

/// The fields that a manager owns.
pub(super) fn tree(entry: &ManagedFieldsEntry) -> Option<&Tree> {
    entry.fields_v1.as_ref()?.0.as_object()
}

/// The fields of an object that was sent which are not in a tree.
///
/// `whole` says whether a structure may be owned as a whole, which is possible only for Kubernetes'
/// own kinds.
pub(super) fn uncovered(sent: &Value, tree: Option<&Tree>, whole: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (field, value) in sent.as_object().into_iter().flatten() {
        let below = tree.and_then(|tree| tree.get(&format!("f:{field}")));
        match field.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => {
                for (field, value) in value.as_object().into_iter().flatten() {
                    let below = below.and_then(|below| below.get(format!("f:{field}")));
                    if !IDENTITY.contains(&field.as_str()) {
                        walk(value, below, true, &join("metadata", field), &mut found);
                    }
                }
            }
            _ => walk(value, below, whole, field, &mut found),
        }
    }
    found
}

fn walk(
    value: &Value,
    tree: Option<&Value>,
    whole: bool,
    path: &str,
    found: &mut BTreeSet<String>,
) {
    let tree = tree.and_then(Value::as_object);
    let is_leaf = tree.is_some_and(Map::is_empty);
    match value {
        Value::Null => {}
        Value::Object(fields) if !(fields.is_empty() || is_leaf && whole) => {
            for (field, value) in fields {
                let below = tree.and_then(|tree| tree.get(&format!("f:{field}")));
                walk(value, below, whole, &join(path, field), found);
            }
        }
        Value::Array(items) if !(items.is_empty() || is_leaf) => {
            for (index, item) in items.iter().enumerate() {
                let below = tree.and_then(|tree| item_of(tree, item));
                walk(item, below, whole, &item_path(path, item, index), found);
            }
        }
        _ if tree.is_some() => {}
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// The part of a tree that belongs to a list item.
fn item_of<'a>(tree: &'a Tree, item: &Value) -> Option<&'a Value> {
    let is_it = |path: &str| {
        let (form, text) = path.split_at_checked(2)?;
        let named: Value = serde_json::from_str(text).ok()?;
        match form {
            "k:" => Some(has_keys(item, named.as_object()?)),
            "v:" => Some(*item == named),
            _ => None,
        }
    };
    let mut paths = tree.iter();
    let found = paths.find(|(path, _)| is_it(path) == Some(true));
    found.map(|(_, below)| below)
}

/// Whether an item has these keys. A key that the item omits may have been filled in by a default.
fn has_keys(item: &Value, keys: &Tree) -> bool {
    keys.iter()
        .all(|(key, value)| item.get(key).is_none_or(|own| own == value))
}

/// Path of a list item, for messages.
pub(super) fn item_path(path: &str, item: &Value, index: usize) -> String {
    match key_of(item) {
        Some(key) => format!("{path}[{key}]"),
        None => format!("{path}[{index}]"),
    }
}

/// The value that distinguishes an item of a list.
pub(super) fn key_of(item: &Value) -> Option<String> {
    KEYS.iter().find_map(|key| item.get(key)).map(plain)
}

/// Path of a field, for messages.
pub(super) fn join(path: &str, field: &str) -> String {
    if field.contains(['.', '/']) {
        format!("{path}[{field}]")
    } else if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The leaves of a tree below a path, for messages. They contain no values.
pub(super) fn leaves(tree: &Tree, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(tree, path, &mut found);
    found
}

fn collect(tree: &Tree, path: &str, found: &mut BTreeSet<String>) {
    for (element, below) in tree {
        // The paths below are more precise.
        if element == ITSELF && tree.len() > 1 {
            continue;
        }
        let path = readable(path, element);
        match below.as_object().filter(|below| !below.is_empty()) {
            Some(item) if element.starts_with("k:") && item.contains_key(ITSELF) => {
                found.insert(path);
            }
            Some(below) => collect(below, &path, found),
            None => {
                found.insert(path);
            }
        }
    }
}

fn readable(path: &str, element: &str) -> String {
    match element.split_at_checked(2) {
        Some(("f:", field)) => join(path, field),
        Some(("k:", keys)) => match serde_json::from_str(keys) {
            // Other keys are values, such as an address.
            Ok(keys) if key_of(&keys).is_some() => item_path(path, &keys, 0),
            _ => path.to_owned(),
        },
        _ => path.to_owned(),
    }
}

/// Splits a tree into the part to remove and the part to keep; `path` is the position of the tree.
pub(super) fn split(
    tree: &Tree,
    path: &mut Vec<String>,
    stays: &impl Fn(&[String]) -> bool,
) -> (Tree, Tree) {
    let (mut going, mut staying) = (Tree::new(), Tree::new());
    for (element, below) in tree.iter().filter(|(element, _)| *element != ITSELF) {
        path.push(element.clone());
        match below.as_object().filter(|below| !below.is_empty()) {
            _ if stays(path) => {
                staying.insert(element.clone(), below.clone());
            }
            None => {
                going.insert(element.clone(), below.clone());
            }
            Some(below) => {
                let (goes, remains) = split(below, path, stays);
                insert_some(&mut going, element, goes);
                insert_some(&mut staying, element, remains);
            }
        }
        path.pop();
    }
    // A manager that keeps something below keeps the value itself, too.
    if let Some(itself) = tree.get(ITSELF) {
        let keeper = if staying.is_empty() {
            &mut going
        } else {
            &mut staying
        };
        keeper.insert(ITSELF.to_owned(), itself.clone());
    }
    (going, staying)
}

fn insert_some(tree: &mut Tree, element: &str, below: Tree) {
    if !below.is_empty() {
        tree.insert(element.to_owned(), Value::Object(below));
    }
}

/// Adds the paths of one tree to another.
pub(super) fn merge(into: &mut Tree, from: Tree) {
    for (element, below) in from {
        match (into.get_mut(&element), below) {
            (Some(Value::Object(there)), Value::Object(below)) => merge(there, below),
            (_, below) => {
                into.insert(element, below);
            }
        }
    }
}

/// The paths of a tree that another tree does not have.
pub(super) fn difference(tree: &Tree, other: &Tree) -> Tree {
    let mut found = Tree::new();
    for (element, below) in tree.iter().filter(|(element, _)| *element != ITSELF) {
        let Some(there) = other.get(element).and_then(Value::as_object) else {
            found.insert(element.clone(), below.clone());
            continue;
        };
        if let Some(below) = below.as_object().filter(|_| !there.is_empty()) {
            insert_some(&mut found, element, difference(below, there));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn as_tree(value: &Value) -> Tree {
        value.as_object().unwrap().clone()
    }

    fn lost(sent: &Value, tree: &Value, whole: bool) -> Vec<String> {
        let tree = as_tree(tree);
        uncovered(sent, Some(&tree), whole).into_iter().collect()
    }

    fn sent() -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "pay",
                "uid": "7",
                "labels": { "innkeeper.dev/service": "pay" },
                "ownerReferences": [{ "uid": "1", "name": "pay" }],
            },
            "spec": {
                "selector": { "matchLabels": { "a": "b" } },
                "template": { "spec": {
                    "containers": [{
                        "name": "service",
                        "image": "innkeeper:1",
                        "args": ["serve"],
                        "ports": [{ "name": "http", "containerPort": 8080 }],
                    }],
                    "volumes": [{ "name": "temporary", "emptyDir": {} }],
                } },
            },
        })
    }

    fn owned() -> Value {
        json!({
            "f:metadata": {
                "f:labels": { "f:innkeeper.dev/service": {} },
                "f:ownerReferences": { "k:{\"uid\":\"1\"}": {} },
            },
            "f:spec": {
                "f:selector": {},
                "f:template": { "f:spec": {
                    "f:containers": { "k:{\"name\":\"service\"}": {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": { "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}": {
                            ".": {},
                            "f:name": {},
                            "f:containerPort": {},
                        } },
                    } },
                    "f:volumes": { "k:{\"name\":\"temporary\"}": { ".": {}, "f:name": {}, "f:emptyDir": {} } },
                } },
            },
        })
    }

    #[test]
    fn an_entry_that_has_every_field_covers_what_was_sent() {
        assert_eq!(lost(&sent(), &owned(), true), Vec::<String>::new());
    }

    #[test]
    fn a_field_that_someone_took_is_not_covered() {
        let containers = "/f:spec/f:template/f:spec/f:containers";
        let mut tree = owned();
        let item = tree.pointer_mut(containers).unwrap();
        let item = item["k:{\"name\":\"service\"}"].as_object_mut().unwrap();
        item.remove("f:image");
        let path = "spec.template.spec.containers[service].image";
        assert_eq!(lost(&sent(), &tree, true), [path]);
    }

    #[test]
    fn an_item_that_someone_took_is_not_covered() {
        let mut tree = owned();
        let spec = tree.pointer_mut("/f:spec/f:template/f:spec").unwrap();
        spec.as_object_mut().unwrap().remove("f:volumes");
        let volume = "spec.template.spec.volumes[temporary]";
        assert_eq!(
            lost(&sent(), &tree, true),
            [format!("{volume}.emptyDir"), format!("{volume}.name")]
        );
    }

    #[test]
    fn a_label_that_someone_took_is_not_covered() {
        let mut tree = owned();
        tree["f:metadata"]["f:labels"] = json!({ "f:another": {} });
        assert_eq!(
            lost(&sent(), &tree, true),
            ["metadata.labels[innkeeper.dev/service]"]
        );
    }

    #[test]
    fn a_kind_of_ours_owns_its_structures_field_by_field() {
        let sent = json!({ "spec": { "attributes": { "car": { "type": "text" } } } });
        let tree = json!({ "f:spec": { "f:attributes": { "f:car": {} } } });
        assert_eq!(lost(&sent, &tree, false), ["spec.attributes.car.type"]);
        let names = json!({ "spec": { "required": ["carId"] } });
        let has = |value: &str| {
            let tree =
                format!(r#"{{ "f:spec": {{ "f:required": {{ "v:\"{value}\"": {{}} }} }} }}"#);
            lost(&names, &serde_json::from_str(&tree).unwrap(), false)
        };
        assert_eq!(has("carId"), Vec::<String>::new());
        assert_eq!(has("userName"), ["spec.required[0]"]);
    }

    #[test]
    fn leaves_name_fields_and_no_values() {
        let tree = as_tree(&json!({
            "f:template": {
                "f:metadata": { "f:annotations": { ".": {}, "f:example.com/a": {} } },
                "f:spec": { "f:containers": {
                    "k:{\"name\":\"service\"}": { "f:env": {
                        ".": {},
                        "k:{\"name\":\"X\"}": { ".": {}, "f:name": {}, "f:value": {} },
                    } },
                    "k:{\"name\":\"sidecar\"}": { ".": {}, "f:image": {} },
                }, "f:hostAliases": { "k:{\"ip\":\"198.18.0.9\"}": { ".": {}, "f:ip": {} } } },
            },
            "f:required": { "v:\"secret\"": {} },
        }));
        let found: Vec<_> = leaves(&tree, "spec").into_iter().collect();
        assert_eq!(
            found,
            [
                "spec.required",
                "spec.template.metadata.annotations[example.com/a]",
                "spec.template.spec.containers[service].env[X]",
                "spec.template.spec.containers[sidecar]",
                "spec.template.spec.hostAliases",
            ]
        );
    }

    #[test]
    fn a_manager_that_keeps_a_part_keeps_the_value_itself() {
        let tree = as_tree(&json!({
            "f:annotations": { ".": {}, "f:mine": {}, "f:yours": {} },
            "f:env": { ".": {}, "f:X": {} },
        }));
        let stays = |path: &[String]| path == ["f:annotations", "f:mine"];
        let (going, staying) = split(&tree, &mut Vec::new(), &stays);
        assert_eq!(
            Value::Object(going),
            json!({ "f:annotations": { "f:yours": {} }, "f:env": { ".": {}, "f:X": {} } })
        );
        assert_eq!(
            Value::Object(staying),
            json!({ "f:annotations": { ".": {}, "f:mine": {} } })
        );
    }

    #[test]
    fn paths_in_both_trees_are_no_difference() {
        let tree = as_tree(&json!({ "f:a": { ".": {}, "f:b": {}, "f:c": {} }, "f:d": {} }));
        let whole = as_tree(&json!({ "f:a": {} }));
        let part = as_tree(&json!({ "f:a": { "f:b": {} }, "f:d": {} }));
        assert_eq!(
            Value::Object(difference(&tree, &whole)),
            json!({ "f:d": {} })
        );
        assert_eq!(
            Value::Object(difference(&tree, &part)),
            json!({ "f:a": { "f:c": {} } })
        );
    }
}
