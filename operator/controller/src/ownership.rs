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
mod prune;
mod write;

use innkeeper_plan::Rendered;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::DynamicObject;
use kube::{Api, Client};
use serde::de::DeserializeOwned;

use crate::error::Error;
pub(crate) use hash::hash;
pub(crate) use ledger::Ledger;
pub(crate) use notes::Notes;
pub(crate) use prune::{Inventory, prune};
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
    use super::*;

    pub(super) fn owner(uid: &str) -> OwnerReference {
        OwnerReference {
            kind: "DomainService".to_owned(),
            name: "pay".to_owned(),
            uid: uid.to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        }
    }

    pub(super) fn existing(owner: Option<OwnerReference>) -> ObjectMeta {
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
}
