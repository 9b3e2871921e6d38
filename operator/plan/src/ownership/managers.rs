//! Who owns the fields of an object, and which fields become ours. People change with kubectl what
//! we describe, so fields in a spec that kubectl owns are taken over and disappear with the next
//! apply. Other managers may have a reason, so their fields stay and are reported.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use kube::Resource as _;
use serde_json::{Value, json};

use super::fields::{Tree, difference, leaves, merge, split, tree};
use crate::names::FIELD_MANAGER;
use crate::rendered::Rendered;

/// The part of an object whose fields we decide.
const SPEC: &str = "f:spec";
/// The manager name of `kubectl`, which appends its command after a hyphen.
const KUBECTL: &str = "kubectl";
/// The owner of fields that existed before any manager was recorded.
pub const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The annotation that restarts pods, whoever wrote it.
const RESTARTED_AT: [&str; 5] = [
    SPEC,
    "f:template",
    "f:metadata",
    "f:annotations",
    "f:kubectl.kubernetes.io/restartedAt",
];
/// The field that pauses a rollout.
const PAUSED: [&str; 2] = [SPEC, "f:paused"];
/// The field with the number of pods.
const REPLICAS: [&str; 2] = [SPEC, "f:replicas"];

/// Fields with the manager that owns them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldFields {
    /// Name of the manager.
    pub manager: String,
    /// Paths of the fields.
    pub fields: Vec<String>,
}

/// Fields that become ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Takeover {
    /// The managed fields of the object after the takeover.
    pub managed_fields: Vec<ManagedFieldsEntry>,
    /// The fields that are taken over, with their former managers.
    pub taken: Vec<HeldFields>,
}

/// Our entry among the managers of an object, if there is one.
pub fn ours<'a>(
    entries: &'a [ManagedFieldsEntry],
    api_version: &str,
) -> Option<&'a ManagedFieldsEntry> {
    entries.iter().find(|entry| is_ours(entry, api_version))
}

fn is_ours(entry: &ManagedFieldsEntry, api_version: &str) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && is_whole(entry)
        && entry.api_version.as_deref() == Some(api_version)
}

fn is_whole(entry: &ManagedFieldsEntry) -> bool {
    entry.subresource.as_deref().unwrap_or_default().is_empty()
}

fn is_kubectls(entry: &ManagedFieldsEntry, api_version: &str) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    let is_it = manager.starts_with(KUBECTL) || manager == BEFORE_FIRST_APPLY;
    // The paths of another API version have no meaning in ours.
    is_it && is_whole(entry) && entry.api_version.as_deref() == Some(api_version)
}

/// The takeover of what kubectl changed in the spec of an object; `None` if there is nothing to
/// take over.
pub fn takeover(entries: &[ManagedFieldsEntry], rendered: &Rendered) -> Option<Takeover> {
    let api_version = &rendered.resource.api_version;
    let mut mine = ours(entries, api_version).cloned();
    let mut others = Vec::new();
    let mut taken = Vec::new();
    for entry in entries.iter().filter(|it| !is_ours(it, api_version)) {
        let going = is_kubectls(entry, api_version).then(|| split_spec(entry, rendered));
        let Some((going, remaining)) = going.flatten() else {
            others.push(entry.clone());
            continue;
        };
        taken.push(HeldFields {
            manager: entry.manager.clone().unwrap_or_default(),
            fields: leaves(&going, "spec").into_iter().collect(),
        });
        add_spec(
            mine.get_or_insert_with(|| entry_of_ours(api_version)),
            going,
        );
        others.extend(remaining);
    }
    (!taken.is_empty()).then(|| Takeover {
        managed_fields: mine.into_iter().chain(others).collect(),
        taken,
    })
}

fn entry_of_ours(api_version: &str) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(FIELD_MANAGER.to_owned()),
        operation: Some("Apply".to_owned()),
        api_version: Some(api_version.to_owned()),
        fields_type: Some("FieldsV1".to_owned()),
        fields_v1: Some(FieldsV1(json!({}))),
        ..ManagedFieldsEntry::default()
    }
}

/// The part of an entry's spec to take over, if there is any, and the rest of the entry, if that is
/// not empty.
fn split_spec(
    entry: &ManagedFieldsEntry,
    rendered: &Rendered,
) -> Option<(Tree, Option<ManagedFieldsEntry>)> {
    let mut fields = tree(entry)?.clone();
    let (going, staying) = split_tree(fields.get(SPEC)?.as_object()?, rendered);
    if going.is_empty() {
        return None;
    }
    if staying.is_empty() {
        fields.remove(SPEC);
    } else {
        fields.insert(SPEC.to_owned(), Value::Object(staying));
    }
    let remaining = (!fields.is_empty()).then(|| ManagedFieldsEntry {
        fields_v1: Some(FieldsV1(Value::Object(fields))),
        ..entry.clone()
    });
    Some((going, remaining))
}

fn split_tree(spec: &Tree, rendered: &Rendered) -> (Tree, Tree) {
    let is_deployment = rendered.resource.kind == Deployment::kind(&());
    let asks_for_replicas = rendered.object.data.pointer("/spec/replicas").is_some();
    let stays = |path: &[String]| {
        is_deployment
            && (path == RESTARTED_AT || path == PAUSED || (path == REPLICAS && !asks_for_replicas))
    };
    split(spec, &mut vec![SPEC.to_owned()], &stays)
}

fn add_spec(entry: &mut ManagedFieldsEntry, spec: Tree) {
    let fields = entry.fields_v1.get_or_insert_with(|| FieldsV1(json!({})));
    if let Some(fields) = fields.0.as_object_mut() {
        merge(
            fields,
            Tree::from_iter([(SPEC.to_owned(), Value::Object(spec))]),
        );
    }
}

/// The fields in the spec of an object that other managers own. They are left alone.
pub fn left_alone(entries: &[ManagedFieldsEntry], rendered: &Rendered) -> Vec<HeldFields> {
    let api_version = &rendered.resource.api_version;
    let mine = ours(entries, api_version).and_then(spec_of);
    let mine = mine.cloned().unwrap_or_default();
    let mut held = BTreeMap::<&str, Tree>::new();
    for entry in entries.iter().filter(|it| is_whole(it)) {
        let manager = entry.manager.as_deref().unwrap_or_default();
        if manager == FIELD_MANAGER || is_kubectls(entry, api_version) {
            continue;
        }
        if let Some(spec) = spec_of(entry) {
            let (theirs, _) = split_tree(&difference(spec, &mine), rendered);
            merge(held.entry(manager).or_default(), theirs);
        }
    }
    held.into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(manager, fields)| HeldFields {
            manager: manager.to_owned(),
            fields: leaves(&fields, "spec").into_iter().collect(),
        })
        .collect()
}

fn spec_of(entry: &ManagedFieldsEntry) -> Option<&Tree> {
    tree(entry)?.get(SPEC)?.as_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(replicas: Option<u32>) -> Rendered {
        let mut spec = json!({ "selector": {}, "template": {} });
        if let Some(replicas) = replicas {
            spec["replicas"] = json!(replicas);
        }
        let object: Deployment =
            serde_json::from_value(json!({ "metadata": { "name": "pay" }, "spec": spec })).unwrap();
        Rendered::of(&object)
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({
            "manager": manager,
            "operation": operation,
            "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        })
    }

    fn entries(entries: &[Value]) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(json!(entries)).unwrap()
    }

    fn ours_and(others: &[Value]) -> Vec<ManagedFieldsEntry> {
        let mine = json!({ "f:metadata": { "f:labels": {} }, "f:spec": { "f:selector": {} } });
        entries(&[&[entry("innkeeper", "Apply", &mine)], others].concat())
    }

    fn as_json(entries: &[ManagedFieldsEntry]) -> Value {
        serde_json::to_value(entries).unwrap()
    }

    fn taken(entries: &[ManagedFieldsEntry], replicas: Option<u32>) -> Vec<String> {
        let takeover = takeover(entries, &deployment(replicas));
        let held = takeover.map(|it| it.taken).unwrap_or_default();
        held.into_iter().flat_map(|it| it.fields).collect()
    }

    #[test]
    fn spec_fields_that_kubectl_changed_become_ours_and_metadata_stays_with_it() {
        let left = json!({
            "f:metadata": { "f:annotations": { "f:note": {} } },
            "f:spec": { "f:minReadySeconds": {} },
        });
        let entries = ours_and(&[entry("kubectl-edit", "Update", &left)]);
        let takeover = takeover(&entries, &deployment(Some(1))).unwrap();
        let held = HeldFields {
            manager: "kubectl-edit".to_owned(),
            fields: vec!["spec.minReadySeconds".to_owned()],
        };
        assert_eq!(takeover.taken, [held]);
        let mine = json!({
            "f:metadata": { "f:labels": {} },
            "f:spec": { "f:selector": {}, "f:minReadySeconds": {} },
        });
        let theirs = json!({ "f:metadata": { "f:annotations": { "f:note": {} } } });
        assert_eq!(
            as_json(&takeover.managed_fields),
            json!([
                entry("innkeeper", "Apply", &mine),
                entry("kubectl-edit", "Update", &theirs),
            ])
        );
    }

    #[test]
    fn every_kubectl_is_kubectl_and_nobody_else() {
        let left = json!({ "f:spec": { "f:minReadySeconds": {} } });
        for manager in [
            "kubectl",
            "kubectl-client-side-apply",
            "kubectl-patch",
            "kubectl-set",
            "kubectl-rollout",
            "before-first-apply",
        ] {
            for operation in ["Update", "Apply"] {
                let entries = ours_and(&[entry(manager, operation, &left)]);
                assert_eq!(taken(&entries, None), ["spec.minReadySeconds"], "{manager}");
                let gone = takeover(&entries, &deployment(None)).unwrap();
                assert_eq!(gone.managed_fields.len(), 1);
            }
        }
        for manager in ["k9s", "reloader", "kube-controller-manager", "my-kubectl"] {
            let entries = ours_and(&[entry(manager, "Update", &left)]);
            assert_eq!(takeover(&entries, &deployment(None)), None, "{manager}");
        }
    }

    #[test]
    fn changes_through_a_subresource_stay() {
        let left = json!({ "f:spec": { "f:replicas": {} } });
        let mut scale = entry("kubectl", "Update", &left);
        scale["subresource"] = json!("scale");
        assert_eq!(takeover(&ours_and(&[scale]), &deployment(Some(1))), None);
    }

    #[test]
    fn a_restart_and_a_pause_stay_whoever_wrote_them() {
        let left = json!({ "f:spec": {
            "f:paused": {},
            "f:template": { "f:metadata": { "f:annotations": {
                ".": {},
                "f:kubectl.kubernetes.io/restartedAt": {},
            } } },
        } });
        for manager in ["kubectl-rollout", "kubectl-edit", "k9s"] {
            let entries = ours_and(&[entry(manager, "Update", &left)]);
            assert_eq!(takeover(&entries, &deployment(Some(1))), None);
            let others: Vec<_> = left_alone(&entries, &deployment(Some(1)));
            let fields: Vec<_> = others.into_iter().flat_map(|it| it.fields).collect();
            // That the manager created the annotations map itself is not worth mentioning.
            assert_eq!(fields, Vec::<String>::new(), "{manager}");
        }
    }

    #[test]
    fn a_number_of_pods_stays_only_with_an_autoscaler() {
        let left = json!({ "f:spec": { "f:replicas": {} } });
        let entries = ours_and(&[entry("kubectl-edit", "Update", &left)]);
        assert_eq!(taken(&entries, Some(1)), ["spec.replicas"]);
        assert_eq!(taken(&entries, None), Vec::<String>::new());
    }

    #[test]
    fn a_manager_without_an_entry_gets_one() {
        let left = json!({ "f:spec": { "f:minReadySeconds": {} } });
        let entries = entries(&[entry("before-first-apply", "Update", &left)]);
        let takeover = takeover(&entries, &deployment(None)).unwrap();
        assert_eq!(
            as_json(&takeover.managed_fields),
            json!([entry("innkeeper", "Apply", &left)])
        );
    }

    #[test]
    fn paths_of_another_version_are_not_mixed_with_ours() {
        let mut other = entry(
            "kubectl-edit",
            "Update",
            &json!({ "f:spec": { "f:a": {} } }),
        );
        other["apiVersion"] = json!("apps/v1beta1");
        let entries = ours_and(&[other]);
        assert_eq!(takeover(&entries, &deployment(None)), None);
        assert_eq!(left_alone(&entries, &deployment(None)).len(), 1);
    }

    #[test]
    fn fields_of_others_are_named_unless_they_are_ours_too() {
        let theirs = json!({ "f:spec": {
            "f:selector": {},
            "f:template": { "f:spec": { "f:nodeSelector": {} } },
        } });
        let entries = ours_and(&[
            entry("k9s", "Update", &theirs),
            entry(
                "k9s",
                "Apply",
                &json!({ "f:spec": { "f:paused": {}, "f:a": {} } }),
            ),
            entry("innkeeper", "Update", &json!({ "f:spec": { "f:b": {} } })),
        ]);
        let held = HeldFields {
            manager: "k9s".to_owned(),
            fields: vec![
                "spec.a".to_owned(),
                "spec.template.spec.nodeSelector".to_owned(),
            ],
        };
        assert_eq!(left_alone(&entries, &deployment(None)), [held]);
    }
}
