//! Fetches what exists of a platform.

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use innkeeper_plan::ownership::{Ownership, ownership_of};
use innkeeper_plan::{Rendered, names};
use kube::api::{ApiResource, DynamicObject, ListParams, TypeMeta};
use kube::{Api, Resource, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;

/// What exists in a platform's namespace under the names of its children, whoever owns it. It is
/// not read as its type, because another release may have written it.
pub(super) struct FetchedPlatform {
    /// The EventTopic with the platform's name.
    pub topic: Option<DynamicObject>,
    /// Every service in the namespace.
    pub services: Vec<DynamicObject>,
}

/// Fetches what exists of a platform.
pub(super) async fn fetch(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<FetchedPlatform, Error> {
    let (topic, services) =
        tokio::try_join!(fetch_topic(ctx, platform), fetch_services(ctx, platform))?;
    Ok(FetchedPlatform { topic, services })
}

impl FetchedPlatform {
    /// The name of the topic in Kafka, by the platform's EventTopic. That may belong to a deleted
    /// platform of the same name, whose records the new platform continues.
    pub fn topic_name(&self, platform: &BookingPlatform) -> Option<String> {
        let owner = platform.controller_owner_ref(&()).unwrap_or_default();
        let topic = self.topic.as_ref()?;
        let name = topic.data["spec"]["topicName"].as_str();
        match ownership_of(Some(&topic.metadata), &owner) {
            Ownership::Ours(_) | Ownership::Former => name.map(str::to_owned),
            Ownership::Free | Ownership::Foreign => None,
        }
    }

    /// The services that belong to a platform.
    pub fn services_of(&self, platform: &BookingPlatform) -> impl Iterator<Item = &DynamicObject> {
        let owner = platform.controller_owner_ref(&()).unwrap_or_default();
        let is_ours = move |it: &&DynamicObject| {
            matches!(ownership_of(Some(&it.metadata), &owner), Ownership::Ours(_))
        };
        self.services.iter().filter(is_ours)
    }

    /// The object that has the name of a rendered child.
    pub fn live(&self, child: &Rendered) -> Option<&DynamicObject> {
        let is_service = child.resource.kind == DomainService::kind(&());
        let services = self.services.iter().filter(|_| is_service);
        let topic = self.topic.iter().filter(|_| !is_service);
        let mut all = services.chain(topic);
        all.find(|it| it.metadata.name.as_deref() == Some(child.name()))
    }
}

async fn fetch_topic(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<Option<DynamicObject>, Error> {
    let name = names::event_topic(&platform.name_any());
    let (_, api) = api::<EventTopic>(ctx, platform);
    api.get_opt(&name).await.map_err(|source| Error::Fetch {
        what: format!("EventTopic {name}"),
        source,
    })
}

async fn fetch_services(
    ctx: &Context,
    platform: &BookingPlatform,
) -> Result<Vec<DynamicObject>, Error> {
    let (resource, api) = services(ctx, platform);
    let found = api.list(&ListParams::default()).await;
    let mut found = found.map_err(|source| Error::Fetch {
        what: format!("every DomainService of {}", platform.name_any()),
        source,
    })?;
    for service in &mut found.items {
        // An API server may leave this out in a list.
        service.types = Some(TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
    }
    Ok(found.items)
}

/// The API of the services in a platform's namespace.
pub(super) fn services(
    ctx: &Context,
    platform: &BookingPlatform,
) -> (ApiResource, Api<DynamicObject>) {
    api::<DomainService>(ctx, platform)
}

fn api<K: Resource<DynamicType = ()>>(
    ctx: &Context,
    platform: &BookingPlatform,
) -> (ApiResource, Api<DynamicObject>) {
    let namespace = platform.namespace().unwrap_or_default();
    let resource = ApiResource::erase::<K>(&());
    let api = Api::namespaced_with(ctx.client.clone(), &namespace, &resource);
    (resource, api)
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
            topic: None,
            services: vec![
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
