//! Whether an object is as it was applied, by what is recorded on it and who owns its fields: values are not compared,
//! for what admission makes of them would be fought for ever.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::DynamicObject;

use super::DesiredObject;
use super::fields::{tree, uncovered};
use super::hash::{Wanted, hash, recorded};
use super::managers::{HeldFields, Takeover, ours, takeover};

/// The group of our own kinds.
const GROUP: &str = "innkeeper.dev";
/// Who is named when a field is gone, so that nobody owns it.
const SOMEONE: &str = "someone";

/// How an object stands against what is wanted of it.
#[derive(Debug)]
pub struct Comparison {
    /// What is wanted.
    pub wanted: Wanted,
    /// Whether it says that this was applied.
    pub is_recorded: bool,
    /// The fields of it that are not ours, and whose they are.
    pub lost: BTreeMap<String, String>,
    /// What kubectl left in it.
    pub takeover: Option<Takeover>,
    /// The hash of what we own of it.
    pub owned: Option<String>,
}

impl Comparison {
    /// Looks at a claim.
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

    /// The fields that kubectl left, with its name.
    pub fn left(&self) -> BTreeMap<String, String> {
        let held = self.takeover.iter().flat_map(|it| &it.taken);
        held.flat_map(|HeldFields { manager, fields }| {
            let of_manager = |field: &String| (field.clone(), manager.clone());
            fields.iter().map(of_manager)
        })
        .collect()
    }

    /// What others had changed of an object that was written.
    pub fn put_back(&self) -> Vec<HeldFields> {
        let mut by_manager = BTreeMap::<String, BTreeSet<String>>::new();
        let mut taken = self.left();
        // What is not recorded may never have been ours.
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

/// Who owns what of an object.
pub fn entries(object: &DynamicObject) -> &[ManagedFieldsEntry] {
    object
        .metadata
        .managed_fields
        .as_deref()
        .unwrap_or_default()
}

/// The hash of what we own of an object.
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
