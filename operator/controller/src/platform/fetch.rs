//! Fetches what exists of a platform.

use futures::future::try_join_all;
use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use innkeeper_plan::kinds::{self, Kind};
use innkeeper_plan::ownership::{Ownership, ownership_of};
use innkeeper_plan::{Rendered, names};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DynamicObject, ListParams, TypeMeta};
use kube::{Api, Resource, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;
use crate::ownership::is_of_kind;

/// The objects in a platform's namespace of the kinds that its children have, whoever owns them.
/// They are not read as their types, because another release may have written them.
pub(super) struct FetchedPlatform {
    /// Each with its kind.
    pub objects: Vec<DynamicObject>,
}

/// Fetches what exists of a platform.
pub(super) async fn fetch(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<FetchedPlatform, Error> {
    let kinds = kinds::children_of::<BookingPlatform>();
    let found = try_join_all(kinds.map(|kind| fetch_all(ctx, platform, kind)));
    Ok(FetchedPlatform {
        objects: found.await?.concat(),
    })
}

impl FetchedPlatform {
    /// The name of the topic in Kafka, by the platform's EventTopic. That may belong to a deleted
    /// platform of the same name, whose records the new platform continues.
    pub fn topic_name(&self, platform: &BookingPlatform) -> Option<String> {
        let name = names::event_topic(&platform.name_any());
        let topic = self.find(&EventTopic::kind(&()), &name)?;
        match ownership_of(Some(&topic.metadata), &owner(platform)) {
            Ownership::Ours(_) | Ownership::Former => {
                let name = topic.data["spec"]["topicName"].as_str();
                name.map(str::to_owned)
            }
            Ownership::Free | Ownership::Foreign => None,
        }
    }

    /// The services that belong to a platform.
    pub fn services_of(&self, platform: &BookingPlatform) -> impl Iterator<Item = &DynamicObject> {
        let owner = owner(platform);
        let is_ours = move |it: &&DynamicObject| {
            matches!(ownership_of(Some(&it.metadata), &owner), Ownership::Ours(_))
        };
        let services = self.objects.iter();
        let services = services.filter(|it| is_of_kind(it, &DomainService::kind(&())));
        services.filter(is_ours)
    }

    /// The object that has the name of a rendered child.
    pub fn live(&self, child: &Rendered) -> Option<&DynamicObject> {
        self.find(&child.resource.kind, child.name())
    }

    fn find(&self, kind: &str, name: &str) -> Option<&DynamicObject> {
        let mut of_kind = self.objects.iter().filter(|it| is_of_kind(it, kind));
        of_kind.find(|it| it.metadata.name.as_deref() == Some(name))
    }
}

fn owner(platform: &BookingPlatform) -> OwnerReference {
    platform.controller_owner_ref(&()).unwrap_or_default()
}

/// Fetches every object of a kind in a platform's namespace.
async fn fetch_all(
    ctx: &Context,
    platform: &BookingPlatform,
    Kind { resource, .. }: &Kind,
) -> Result<Vec<DynamicObject>, Error> {
    let namespace = platform.namespace().unwrap_or_default();
    let api = Api::<DynamicObject>::namespaced_with(ctx.client.clone(), &namespace, resource);
    let found = api.list(&ListParams::default()).await;
    let mut found = found.map_err(|source| Error::Fetch {
        what: format!("every {} of {}", resource.kind, platform.name_any()),
        source,
    })?;
    for object in &mut found.items {
        // An API server may leave this out in a list.
        object.types = Some(TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
    }
    Ok(found.items)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, owner: &str) -> DynamicObject {
        let owner = json!({
            "apiVersion": "innkeeper.dev/v1alpha1", "kind": "BookingPlatform", "name": "rentcar", "uid": owner,
        });
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": name, "ownerReferences": [owner] },
            "spec": { "image": "of an earlier release" },
        }))
        .unwrap()
    }

    #[test]
    fn a_platform_has_the_services_that_name_it_as_owner() {
        let platform: BookingPlatform = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": { "name": "rentcar", "uid": "mine" },
            "spec": { "services": [] },
        }))
        .unwrap();
        let fetched = FetchedPlatform {
            objects: vec![
                service("pay", "mine"),
                service("gateway", "of a former platform"),
            ],
        };
        let names: Vec<_> = fetched
            .services_of(&platform)
            .map(kube::ResourceExt::name_any)
            .collect();
        assert_eq!(names, ["pay"]);
    }
}
