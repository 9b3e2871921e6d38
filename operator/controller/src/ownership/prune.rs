//! Deletes the objects that an owner has and no longer asks for. It lists them from the API server,
//! for each kind in the registry: a record of our own could be lost or restored from a backup, and
//! anybody could remove a label.

use innkeeper_plan::kinds::{self, Kind, Prune};
use innkeeper_plan::ownership::{Inventory, controller_of};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt as _};

use super::is_of_kind;
use crate::error::Error;

/// Deletes the objects of an owner that are not in its inventory, for the kinds to prune at this
/// time.
pub(crate) async fn prune<K: Resource<DynamicType = ()>>(
    client: &Client,
    owner: &K,
    inventory: &Inventory,
    when: Prune,
) -> Result<(), Error> {
    for kind in kinds::children_of::<K>().filter(|kind| kind.prune == Some(when)) {
        prune_kind(client, owner, inventory, &kind.resource).await?;
    }
    Ok(())
}

async fn prune_kind<K: Resource<DynamicType = ()>>(
    client: &Client,
    owner: &K,
    inventory: &Inventory,
    resource: &ApiResource,
) -> Result<(), Error> {
    let namespace = owner.namespace().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, resource);
    let found = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(|source| Error::Fetch {
            what: format!("every {} of {}", resource.kind, owner.name_any()),
            source,
        })?;
    let found = found.iter().map(|it| &it.metadata);
    prune_listed(&api, owner, inventory, resource, found).await
}

/// Deletes those of the fetched objects that belong to an owner and are not in its inventory, if
/// their kind is to be pruned last.
pub(crate) async fn prune_fetched<K: Resource<DynamicType = ()>>(
    client: &Client,
    owner: &K,
    inventory: &Inventory,
    fetched: &[DynamicObject],
) -> Result<(), Error> {
    let namespace = owner.namespace().unwrap_or_default();
    for kind in kinds::children_of::<K>().filter(|kind| kind.prune == Some(Prune::Last)) {
        let Kind { resource, .. } = kind;
        let api = Api::namespaced_with(client.clone(), &namespace, resource);
        let found = fetched.iter().filter(|it| is_of_kind(it, &resource.kind));
        let found = found.map(|it| &it.metadata);
        prune_listed(&api, owner, inventory, resource, found).await?;
    }
    Ok(())
}

/// Deletes those of the listed objects of a kind that belong to an owner and are not in its
/// inventory.
async fn prune_listed<K: Resource<DynamicType = ()>>(
    api: &Api<DynamicObject>,
    owner: &K,
    inventory: &Inventory,
    resource: &ApiResource,
    listed: impl Iterator<Item = &ObjectMeta>,
) -> Result<(), Error> {
    for object in listed {
        let name = object.name.as_deref().unwrap_or_default();
        if is_owned(object, owner.uid().as_deref()) && !inventory.has(resource, name) {
            delete(api, &resource.kind, object).await?;
        }
    }
    Ok(())
}

fn is_owned(object: &ObjectMeta, owner: Option<&str>) -> bool {
    controller_of(object).is_some_and(|it| Some(it.uid.as_str()) == owner)
}

/// Deletes an object, unless it was replaced by another one with the same name.
async fn delete(api: &Api<DynamicObject>, kind: &str, metadata: &ObjectMeta) -> Result<(), Error> {
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: metadata.uid.clone(),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    let name = metadata.name.as_deref().unwrap_or_default();
    match api.delete(name, &params).await {
        Ok(_) => {
            let namespace = metadata.namespace.as_deref();
            tracing::info!(object = format!("{kind} {name}"), namespace, "pruned");
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::Prune {
            what: format!("{kind} {name}"),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use axum::{Router, routing};
    use innkeeper_plan::fixtures::{self, owned_by, owner};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn only_its_owner_prunes_an_object() {
        let mine = owned_by(Some(owner("me")));
        assert!(is_owned(&mine, Some("me")));
        assert!(!is_owned(&mine, Some("someone")));
        assert!(!is_owned(&owned_by(None), None));
        let attached = OwnerReference {
            controller: None,
            ..owner("me")
        };
        assert!(!is_owned(&owned_by(Some(attached)), Some("me")));
    }

    /// An API server that has one ConfigMap without labels, and a channel of the paths that were
    /// deleted.
    fn with_unlabelled_child() -> (Client, mpsc::UnboundedReceiver<String>) {
        let (tell, deleted) = mpsc::unbounded_channel();
        let list = |uri: Uri| async move {
            let is_narrowed = uri.query().unwrap_or_default().contains("labelSelector");
            let children = usize::from(!is_narrowed);
            let child = json!({
                "apiVersion": "meta.k8s.io/v1",
                "kind": "PartialObjectMetadata",
                "metadata": { "name": "old", "ownerReferences": [owner("me")] },
            });
            json!({
                "apiVersion": "meta.k8s.io/v1",
                "kind": "PartialObjectMetadataList",
                "metadata": {},
                "items": vec![child; children],
            })
            .to_string()
        };
        let delete = move |uri: Uri| {
            tell.send(uri.path().to_owned()).unwrap();
            let done = json!({ "apiVersion": "v1", "kind": "Status", "status": "Success" });
            std::future::ready(done.to_string())
        };
        let config_maps = "/api/v1/namespaces/shop/configmaps";
        let server = Router::new()
            .route(config_maps, routing::get(list))
            .route(&format!("{config_maps}/{{name}}"), routing::delete(delete));
        (Client::new(server, "shop"), deleted)
    }

    #[tokio::test]
    async fn a_child_whose_labels_somebody_removed_is_pruned() {
        let (client, mut deleted) = with_unlabelled_child();
        let mut me = fixtures::service("pay", &json!({}));
        me.metadata.uid = Some("me".to_owned());
        me.metadata.namespace = Some("shop".to_owned());
        prune(&client, &me, &Inventory::default(), Prune::Last)
            .await
            .unwrap();
        let path = deleted.try_recv().unwrap();
        assert_eq!(path, "/api/v1/namespaces/shop/configmaps/old");
    }
}
