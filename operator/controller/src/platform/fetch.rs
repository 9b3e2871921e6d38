//! What a platform has already.

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use innkeeper_plan::{Facts, names};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Resource as _, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;
use crate::ownership::{Standing, standing};

/// What a platform has already.
pub(super) async fn facts(ctx: &Context, platform: &BookingPlatform) -> Result<Facts, Error> {
    let (services, topic) = tokio::try_join!(services(ctx, platform), event_topic(ctx, platform))?;
    Ok(Facts::of(platform, services, topic))
}

/// The object of its name; one that cannot be read stops the platform, which may have another topic.
async fn event_topic(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<Option<EventTopic>, Error> {
    let name = names::event_topic(&platform.name_any());
    let found = ctx.api_beside::<EventTopic>(platform).get_opt(&name).await;
    found.map_err(|source| Error::Fetch {
        what: format!("EventTopic {name}"),
        source,
    })
}

/// The services that a platform has already, whatever their labels are.
async fn services(ctx: &Context, platform: &BookingPlatform) -> Result<Vec<DomainService>, Error> {
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

/// The objects of an owner; one that cannot be read keeps no order, and stalls by itself.
fn of_owner(owner: &OwnerReference, objects: Vec<DynamicObject>) -> Vec<DomainService> {
    objects
        .into_iter()
        .filter(|it| matches!(standing(Some(&it.metadata), owner), Standing::Ours(_)))
        .filter_map(|object| object.try_parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures;

    fn service(name: &str, owner: &str, spec: &Value) -> DynamicObject {
        let owner = json!({
            "apiVersion": "innkeeper.dev/v1alpha1", "kind": "BookingPlatform", "name": "rentcar", "uid": owner,
        });
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": name, "ownerReferences": [owner] },
            "spec": spec,
        }))
        .unwrap()
    }

    #[test]
    fn a_platform_has_what_names_it_as_owner_and_can_be_read() {
        let owner = OwnerReference {
            kind: "BookingPlatform".to_owned(),
            name: "rentcar".to_owned(),
            uid: "mine".to_owned(),
            ..OwnerReference::default()
        };
        let spec = serde_json::to_value(fixtures::service("pay", &json!({})).spec).unwrap();
        let found = vec![
            service("pay", "mine", &spec),
            service("rent", "mine", &json!({ "image": "of an earlier release" })),
            service("gateway", "of a former life", &spec),
        ];
        let names: Vec<_> = of_owner(&owner, found)
            .iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        assert_eq!(names, ["pay"]);
    }
}
