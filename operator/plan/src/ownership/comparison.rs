//! Whether an object is still as it was applied, judged by the hash recorded in it and by the
//! owners of its fields. Values are not compared: the operator would fight the changes of admission
//! for ever.

use std::collections::{BTreeMap, BTreeSet};

use innkeeper_crds::GROUP;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::DynamicObject;

use super::desired::DesiredObject;
use super::fields::{tree, uncovered};
use super::hash::{Wanted, hash, recorded};
use super::managers::{HeldFields, Takeover, ours, takeover};

/// The name to report if nobody owns a field any more.
const SOMEONE: &str = "someone";

/// How an existing object differs from the desired one.
#[derive(Debug)]
pub struct Comparison {
    pub wanted: Wanted,
    /// Whether the existing object records the hash of the desired one.
    pub is_recorded: bool,
    /// The fields that we do not own any more, with their managers.
    pub lost: BTreeMap<String, String>,
    /// The fields that kubectl changed, which become ours.
    pub takeover: Option<Takeover>,
    /// The hash of the fields that we own.
    pub owned: Option<String>,
}

impl Comparison {
    /// Compares a desired object with the existing one.
    pub fn of(desired: &DesiredObject) -> Self {
        let wanted = Wanted::of(&desired.rendered);
        let live = desired.live.as_ref();
        let entries = live.map(entries).unwrap_or_default();
        Self {
            is_recorded: live.and_then(recorded) == Some(&wanted.hash),
            lost: lost(desired, &wanted, entries),
            takeover: takeover(entries, &desired.rendered),
            owned: owned(desired, entries),
            wanted,
        }
    }

    /// The fields that kubectl changed, with its name.
    pub fn left(&self) -> BTreeMap<String, String> {
        let held = self.takeover.iter().flat_map(|it| &it.taken);
        held.flat_map(|HeldFields { manager, fields }| {
            let of_manager = |field: &String| (field.clone(), manager.clone());
            fields.iter().map(of_manager)
        })
        .collect()
    }

    /// The fields that others had changed and that a write has restored.
    pub fn put_back(&self) -> Vec<HeldFields> {
        let mut by_manager = BTreeMap::<String, BTreeSet<String>>::new();
        let mut taken = self.left();
        // Without a matching hash the fields may never have been ours.
        if self.is_recorded {
            taken.extend(self.lost.clone());
        }
        for (field, manager) in taken {
            by_manager.entry(manager).or_default().insert(field);
        }
        let held = |(manager, fields): (String, BTreeSet<String>)| HeldFields {
            manager,
            fields: fields.into_iter().collect(),
        };
        by_manager.into_iter().map(held).collect()
    }
}

/// The managers of an object's fields.
pub fn entries(object: &DynamicObject) -> &[ManagedFieldsEntry] {
    object
        .metadata
        .managed_fields
        .as_deref()
        .unwrap_or_default()
}

/// The hash of the fields that we own in an object.
pub fn owned(desired: &DesiredObject, entries: &[ManagedFieldsEntry]) -> Option<String> {
    let mine = ours(entries, &desired.rendered.resource.api_version)?;
    mine.fields_v1.as_ref().map(hash)
}

fn lost(
    desired: &DesiredObject,
    wanted: &Wanted,
    entries: &[ManagedFieldsEntry],
) -> BTreeMap<String, String> {
    let resource = &desired.rendered.resource;
    let sent = wanted.value();
    let missing = |entry: Option<&ManagedFieldsEntry>| {
        uncovered(&sent, entry.and_then(tree), resource.group != GROUP)
    };
    let lost = missing(ours(entries, &resource.api_version));
    if lost.is_empty() {
        return BTreeMap::new();
    }
    let owners: Vec<(&str, BTreeSet<String>)> = entries
        .iter()
        .map(|entry| {
            let manager = entry.manager.as_deref().unwrap_or(SOMEONE);
            (manager, missing(Some(entry)))
        })
        .collect();
    let owner = |field: &String| {
        let mut owners = owners.iter();
        let found = owners.find(|(_, missing)| !missing.contains(field));
        found.map_or(SOMEONE, |(manager, _)| manager).to_owned()
    };
    lost.into_iter()
        .map(|field| {
            let owner = owner(&field);
            (field, owner)
        })
        .collect()
}
