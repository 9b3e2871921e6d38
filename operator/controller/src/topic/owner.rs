//! Fetches whether the owner of an object exists. An object that is deleted because its owner is
//! gone was not asked to delete its topic.

use innkeeper_crds::EventTopic;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;

/// Whether the owner of an object exists, by its UID, and neither the owner nor the namespace is
/// being deleted. An object without an owner counts as its own. What the operator has no permission
/// to see does not count as existing.
pub(super) async fn fetch_owner_lives(ctx: &Context, topic: &EventTopic) -> Result<bool, Error> {
    let namespace = topic.namespace().unwrap_or_default();
    if is_going(&topic.metadata) || fetch_namespace_stays(ctx, &namespace).await? != Some(true) {
        return Ok(false);
    }
    if topic.owner_references().is_empty() {
        return Ok(true);
    }
    for owner in topic.owner_references() {
        if fetch_lives(ctx, &namespace, owner).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a namespace exists and is not being deleted; `None` if the operator has no permission to
/// see it.
pub(super) async fn fetch_namespace_stays(
    ctx: &Context,
    name: &str,
) -> Result<Option<bool>, Error> {
    let api: Api<Namespace> = Api::all(ctx.client.clone());
    match api.get_metadata_opt(name).await {
        Ok(found) => Ok(Some(found.is_some_and(|it| !is_going(&it.metadata)))),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        Err(source) => Err(Error::Fetch {
            what: format!("Namespace {name}"),
            source,
        }),
    }
}

async fn fetch_lives(
    ctx: &Context,
    namespace: &str,
    owner: &OwnerReference,
) -> Result<bool, Error> {
    let (group, version) = owner
        .api_version
        .split_once('/')
        .unwrap_or(("", &owner.api_version));
    let kind = GroupVersionKind::gvk(group, version, &owner.kind);
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), namespace, &resource);
    let found =
        visible(api.get_metadata_opt(&owner.name).await).map_err(|source| Error::Fetch {
            what: format!("{} {}", owner.kind, owner.name),
            source,
        })?;
    Ok(found.is_some_and(|found| {
        found.metadata.uid.as_ref() == Some(&owner.uid) && !is_going(&found.metadata)
    }))
}

pub(super) const fn is_going(metadata: &ObjectMeta) -> bool {
    metadata.deletion_timestamp.is_some()
}

/// Treats an object that the operator has no permission to see as missing.
fn visible<T>(found: Result<Option<T>, kube::Error>) -> Result<Option<T>, kube::Error> {
    match found {
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        other => other,
    }
}
