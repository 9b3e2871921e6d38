//! The objects that an owner should have.

use std::collections::BTreeSet;

use kube::Resource;

use super::DesiredObject;

/// The objects that an owner asks for, or that are still used, by kind and name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory(BTreeSet<(String, String)>);

impl Inventory {
    /// The inventory of an owner with these desired objects.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a DesiredObject>) -> Self {
        let entry = |DesiredObject { rendered, .. }: &DesiredObject| {
            let kind = rendered.resource.kind.clone();
            (kind, rendered.name().to_owned())
        };
        Self(objects.into_iter().map(entry).collect())
    }

    /// Adds objects of a kind that must stay although the owner does not ask for them.
    pub fn keep<K: Resource<DynamicType = ()>>(&mut self, names: impl IntoIterator<Item = String>) {
        let kind = K::kind(&());
        let entries = names.into_iter().map(|name| (kind.to_string(), name));
        self.0.extend(entries);
    }

    /// Whether the inventory contains an object.
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.0.contains(&(kind.to_owned(), name.to_owned()))
    }
}
