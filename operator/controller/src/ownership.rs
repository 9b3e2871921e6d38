//! Whose an object is. A name that belongs to someone else is never taken by force, and what is as it was applied is
//! never written.

mod admission;
mod changes;
mod contested;
mod fields;
mod hash;
mod ledger;
mod look;
mod managers;
mod notes;
mod write;

use std::collections::BTreeSet;

use innkeeper_plan::Rendered;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::error::Error;
pub(crate) use hash::hash;
pub(crate) use ledger::Ledger;
pub(crate) use notes::Notes;
pub(crate) use write::{Refused, apply};

/// Whose the object of a name is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Nobody's: there is none.
    Free,
    /// Ours, with its uid.
    Ours(String),
    /// A former owner's of the same name; it goes by itself.
    Former,
    /// Someone else's.
    Foreign,
}

/// Whose an object is, seen by the owner that asks for it.
pub(crate) fn standing(existing: Option<&ObjectMeta>, owner: &OwnerReference) -> Standing {
    let Some(existing) = existing else {
        return Standing::Free;
    };
    let mut owners = existing.owner_references.iter().flatten();
    if owners.clone().any(|other| other.uid == owner.uid) {
        return Standing::Ours(existing.uid.clone().unwrap_or_default());
    }
    if owners.any(|other| other.kind == owner.kind && other.name == owner.name) {
        return Standing::Former;
    }
    Standing::Foreign
}

/// A rendered object, and whose its name is.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The object as it should be.
    pub rendered: Rendered,
    /// Whose its name is now.
    pub standing: Standing,
    /// What there is of this name.
    pub live: Option<DynamicObject>,
}

/// What stands in the way of a set of claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Obstacle {
    /// Names that belong to someone else.
    Taken(Vec<String>),
    /// Objects of a former life that are still there.
    Former(Vec<String>),
}

/// What stands in the way of claims, if anything does.
pub(crate) fn obstacle<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Option<Obstacle> {
    let (mut taken, mut former) = (Vec::new(), Vec::new());
    for claim in claims {
        match claim.standing {
            Standing::Foreign => taken.push(what(&claim.rendered)),
            Standing::Former => former.push(what(&claim.rendered)),
            Standing::Free | Standing::Ours(_) => {}
        }
    }
    if !taken.is_empty() {
        return Some(Obstacle::Taken(taken));
    }
    (!former.is_empty()).then_some(Obstacle::Former(former))
}

/// Looks whose the names of rendered objects are.
pub(crate) async fn fetch_claims(
    client: &Client,
    owner: &OwnerReference,
    rendered: Vec<Rendered>,
) -> Result<Vec<Claim>, Error> {
    futures::future::try_join_all(rendered.into_iter().map(|rendered| async move {
        let live = api(client, &rendered)
            .get_opt(rendered.name())
            .await
            .map_err(|source| Error::Fetch {
                what: what(&rendered),
                source,
            })?;
        let standing = standing(live.as_ref().map(|it| &it.metadata), owner);
        Ok(Claim {
            rendered,
            standing,
            live,
        })
    }))
    .await
}

/// An object that was applied, as its own type.
pub(crate) fn typed<K: DeserializeOwned>(
    claim: &Claim,
    applied: &DynamicObject,
) -> Result<K, Error> {
    serde_json::to_value(applied)
        .and_then(serde_json::from_value)
        .map_err(|source| Error::Answer {
            what: what(&claim.rendered),
            source,
        })
}

/// The names of the claims of a kind.
pub(crate) fn names_of<'a, K: Resource<DynamicType = ()>>(
    claims: impl IntoIterator<Item = &'a Claim>,
) -> BTreeSet<String> {
    claims
        .into_iter()
        .filter(|claim| claim.rendered.resource.kind == K::kind(&()))
        .map(|claim| claim.rendered.name().to_owned())
        .collect()
}

/// Deletes an owner's own objects of a kind whose names nobody wants. They are known by their owner: anybody may take a label.
pub(crate) async fn prune<K: Resource<DynamicType = ()>>(
    client: &Client,
    owner: &impl ResourceExt,
    wanted: &BTreeSet<String>,
) -> Result<(), Error> {
    let namespace = owner.namespace().unwrap_or_default();
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
    let found = api
        .list_metadata(&ListParams::default())
        .await
        .map_err(|source| Error::Fetch {
            what: format!("every {} of {}", resource.kind, owner.name_any()),
            source,
        })?;
    for object in found.iter().map(|it| &it.metadata) {
        let name = object.name.as_deref().unwrap_or_default();
        if is_owned(object, owner.uid().as_deref()) && !wanted.contains(name) {
            delete(&api, &resource.kind, object).await?;
        }
    }
    Ok(())
}

fn is_owned(object: &ObjectMeta, owner: Option<&str>) -> bool {
    let mut owners = object.owner_references.iter().flatten();
    owners.any(|it| it.controller == Some(true) && Some(it.uid.as_str()) == owner)
}

/// Deletes an object, unless another of the same name has come in its place.
async fn delete(api: &Api<DynamicObject>, what: &str, metadata: &ObjectMeta) -> Result<(), Error> {
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
            tracing::info!(object = format!("{what} {name}"), namespace, "pruned");
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::Prune {
            what: format!("{what} {name}"),
            source,
        }),
    }
}

/// The API of a rendered object's kind, in its namespace.
pub(crate) fn api(client: &Client, rendered: &Rendered) -> Api<DynamicObject> {
    let namespace = rendered.object.metadata.namespace.as_deref();
    Api::namespaced_with(
        client.clone(),
        namespace.unwrap_or_default(),
        &rendered.resource,
    )
}

/// An object for people to read: its kind and name.
pub(crate) fn what(rendered: &Rendered) -> String {
    format!("{} {}", rendered.resource.kind, rendered.name())
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use axum::{Router, routing};
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    fn owner(uid: &str) -> OwnerReference {
        OwnerReference {
            kind: "DomainService".to_owned(),
            name: "pay".to_owned(),
            uid: uid.to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        }
    }

    fn existing(owner: Option<OwnerReference>) -> ObjectMeta {
        ObjectMeta {
            uid: Some("its-own".to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn a_name_belongs_to_whoever_owns_the_object() {
        let me = owner("me");
        let of = |metadata: Option<ObjectMeta>| standing(metadata.as_ref(), &me);
        assert_eq!(of(None), Standing::Free);
        assert_eq!(
            of(Some(existing(Some(owner("me"))))),
            Standing::Ours("its-own".to_owned())
        );
        assert_eq!(of(Some(existing(None))), Standing::Foreign);
        assert_eq!(
            of(Some(existing(Some(owner("my former self"))))),
            Standing::Former
        );
        let someone = OwnerReference {
            name: "else".to_owned(),
            ..owner("someone")
        };
        assert_eq!(of(Some(existing(Some(someone)))), Standing::Foreign);
    }

    #[test]
    fn only_its_owner_prunes_an_object() {
        let mine = existing(Some(owner("me")));
        assert!(is_owned(&mine, Some("me")));
        assert!(!is_owned(&mine, Some("someone")));
        assert!(!is_owned(&existing(None), None));
        let attached = OwnerReference {
            controller: None,
            ..owner("me")
        };
        assert!(!is_owned(&existing(Some(attached)), Some("me")));
    }

    /// An API server that has one ConfigMap, without labels, and tells which paths were deleted.
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
    async fn a_child_whose_labels_somebody_took_is_pruned() {
        let (client, mut deleted) = with_unlabelled_child();
        let mut me = ConfigMap::default();
        me.metadata.uid = Some("me".to_owned());
        me.metadata.namespace = Some("shop".to_owned());
        let wanted = BTreeSet::new();
        prune::<ConfigMap>(&client, &me, &wanted).await.unwrap();
        let path = deleted.try_recv().unwrap();
        assert_eq!(path, "/api/v1/namespaces/shop/configmaps/old");
    }
}
