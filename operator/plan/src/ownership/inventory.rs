//! The objects that an owner should have.

use std::collections::BTreeSet;

use kube::Resource;
use kube::api::ApiResource;

use super::desired::DesiredObject;

/// The objects that an owner asks for, or that are still used, by group, kind and
/// name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory(BTreeSet<[String; 3]>);

impl Inventory {
    /// The inventory of an owner with these desired objects.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a DesiredObject>) -> Self {
        let entry = |DesiredObject { rendered, .. }: &DesiredObject| {
            entry(&rendered.resource, rendered.name())
        };
        Self(objects.into_iter().map(entry).collect())
    }

    /// Adds objects of a kind that must stay although the owner does not ask for them.
    pub fn keep<K: Resource<DynamicType = ()>>(&mut self, names: impl IntoIterator<Item = String>) {
        let resource = ApiResource::erase::<K>(&());
        let entries = names.into_iter().map(|name| entry(&resource, &name));
        self.0.extend(entries);
    }

    /// Whether the inventory contains an object.
    pub fn has(&self, resource: &ApiResource, name: &str) -> bool {
        self.0.contains(&entry(resource, name))
    }
}

fn entry(resource: &ApiResource, name: &str) -> [String; 3] {
    [resource.group.as_str(), &resource.kind, name].map(str::to_owned)
}
