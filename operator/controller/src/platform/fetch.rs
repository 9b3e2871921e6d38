//! Fetches what exists of a platform.

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use innkeeper_plan::names;
use innkeeper_plan::ownership::{Ownership, ownership_of};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Resource as _, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;

/// Fetches the topic name from a platform's EventTopic. It may belong to a deleted platform of the
/// same name, whose records the new platform continues.
pub(super) async fn fetch_topic_name(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<Option<String>, Error> {
    let name = names::event_topic(&platform.name_any());
    let found = ctx.api_beside::<EventTopic>(platform).get_opt(&name).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("EventTopic {name}"),
        source,
    })?;
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    let is_its_own = |it: &EventTopic| {
        let ownership = ownership_of(Some(&it.metadata), &owner);
        matches!(ownership, Ownership::Ours(_) | Ownership::Former)
    };
    Ok(found.filter(is_its_own).map(|it| it.spec.topic_name))
}

/// Fetches the existing services of a platform, whatever their labels are.
pub(super) async fn fetch_services(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<Vec<DynamicObject>, Error> {
    let namespace = platform.namespace().unwrap_or_default();
    let resource = ApiResource::erase::<DomainService>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &namespace, &resource);
    let found = api.list(&ListParams::default()).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("every DomainService of {}", platform.name_any()),
        source,
    })?;
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    Ok(of_owner(&owner, found.items))
}

/// The objects that belong to an owner.
fn of_owner(owner: &OwnerReference, mut objects: Vec<DynamicObject>) -> Vec<DynamicObject> {
    objects.retain(|it| matches!(ownership_of(Some(&it.metadata), owner), Ownership::Ours(_)));
    objects
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
        let owner = OwnerReference {
            kind: "BookingPlatform".to_owned(),
            name: "rentcar".to_owned(),
            uid: "mine".to_owned(),
            ..OwnerReference::default()
        };
        let found = vec![
            service("pay", "mine"),
            service("gateway", "of a former platform"),
        ];
        let names: Vec<_> = of_owner(&owner, found)
            .iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        assert_eq!(names, ["pay"]);
    }
}
