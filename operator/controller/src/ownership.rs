//! Fetches whom objects belong to, applies those that have changed, and deletes those that nobody
//! asks for.

mod prune;
mod write;

use innkeeper_plan::Rendered;
use innkeeper_plan::ownership::{DesiredObject, what};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::DynamicObject;
use kube::{Api, Client};
use serde::de::DeserializeOwned;

use crate::error::Error;
pub(crate) use prune::{prune, prune_fetched};
pub(crate) use write::apply_object;

/// Fetches the existing objects with the names of rendered ones, and whom they belong to.
pub(crate) async fn fetch_desired(
    client: &Client,
    owner: &OwnerReference,
    rendered: Vec<Rendered>,
) -> Result<Vec<DesiredObject>, Error> {
    futures::future::try_join_all(rendered.into_iter().map(|rendered| async move {
        let live = api(client, &rendered)
            .get_opt(rendered.name())
            .await
            .map_err(|source| Error::Fetch {
                what: what(&rendered),
                source,
            })?;
        Ok(DesiredObject::of(rendered, live, owner))
    }))
    .await
}

/// Whether an object says that it is of a kind.
pub(crate) fn is_of_kind(object: &DynamicObject, kind: &str) -> bool {
    object.types.as_ref().is_some_and(|it| it.kind == kind)
}

/// Converts an object that was applied to its own type.
pub(crate) fn typed<K: DeserializeOwned>(
    desired: &DesiredObject,
    applied: &DynamicObject,
) -> Result<K, Error> {
    serde_json::to_value(applied)
        .and_then(serde_json::from_value)
        .map_err(|source| Error::Answer {
            what: what(&desired.rendered),
            source,
        })
}

/// The API for a rendered object's kind, in its namespace.
pub(crate) fn api(client: &Client, rendered: &Rendered) -> Api<DynamicObject> {
    let namespace = rendered.object.metadata.namespace.as_deref();
    Api::namespaced_with(
        client.clone(),
        namespace.unwrap_or_default(),
        &rendered.resource,
    )
}
