//! Whose an object is, and what is to be done about what others did to it. A name that belongs to someone else is never
//! taken by force, and what is as it was applied is never written.

pub mod admission;
pub mod changes;
pub mod comparison;
pub mod contested;
mod fields;
pub mod hash;
pub mod inventory;
pub mod managers;
pub mod notes;

pub use inventory::Inventory;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::DynamicObject;

use crate::rendered::Rendered;
use crate::verdict::{Reason, Verdict};
pub use hash::hash;
pub use notes::Notes;

/// Whose the object of a name is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ownership {
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
pub fn ownership_of(existing: Option<&ObjectMeta>, owner: &OwnerReference) -> Ownership {
    let Some(existing) = existing else {
        return Ownership::Free;
    };
    let mut owners = existing.owner_references.iter().flatten();
    if owners.clone().any(|other| other.uid == owner.uid) {
        return Ownership::Ours(existing.uid.clone().unwrap_or_default());
    }
    if owners.any(|other| other.kind == owner.kind && other.name == owner.name) {
        return Ownership::Former;
    }
    Ownership::Foreign
}

/// A rendered object, and whose its name is.
#[derive(Clone, Debug)]
pub struct DesiredObject {
    /// The object as it should be.
    pub rendered: Rendered,
    /// Whose its name is now.
    pub ownership: Ownership,
    /// What there is of this name.
    pub live: Option<DynamicObject>,
}

/// What stands in the way of a set of claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// Names that belong to someone else.
    Taken(Vec<String>),
    /// Objects of a former owner of the same name that are still there.
    Former(Vec<String>),
}

impl Obstacle {
    /// How whoever meets it stands.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Taken(names) => Verdict::stalled(
                Reason::NameTaken,
                format!(
                    "{} belongs to someone else and is left alone: delete or rename it, choose another name for the service, or give the platform a namespace of its own",
                    names.join(", ")
                ),
            ),
            Self::Former(names) => Verdict::reconciling(
                Reason::WaitingForDeletion,
                format!(
                    "waits until Kubernetes has deleted what a former object of this name left: {}",
                    names.join(", ")
                ),
            ),
        }
    }
}

/// What stands in the way of claims, if anything does.
pub fn obstacle<'a>(objects: impl IntoIterator<Item = &'a DesiredObject>) -> Option<Obstacle> {
    let (mut taken, mut former) = (Vec::new(), Vec::new());
    for desired in objects {
        match desired.ownership {
            Ownership::Foreign => taken.push(what(&desired.rendered)),
            Ownership::Former => former.push(what(&desired.rendered)),
            Ownership::Free | Ownership::Ours(_) => {}
        }
    }
    if !taken.is_empty() {
        return Some(Obstacle::Taken(taken));
    }
    (!former.is_empty()).then_some(Obstacle::Former(former))
}

/// The API server refuses an object, and someone has to change something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Which one.
    pub what: String,
    /// Why, in the API server's words.
    pub why: String,
}

impl Refused {
    /// How whoever meets it stands.
    pub fn verdict(&self) -> Verdict {
        let Self { what, why } = self;
        Verdict::stalled(Reason::Refused, format!("{what} is refused: {why}"))
    }
}

/// An object for people to read: its kind and name.
pub fn what(rendered: &Rendered) -> String {
    format!("{} {}", rendered.resource.kind, rendered.name())
}

#[cfg(test)]
mod tests {
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
        let of = |metadata: Option<ObjectMeta>| ownership_of(metadata.as_ref(), &me);
        assert_eq!(of(None), Ownership::Free);
        assert_eq!(
            of(Some(existing(Some(owner("me"))))),
            Ownership::Ours("its-own".to_owned())
        );
        assert_eq!(of(Some(existing(None))), Ownership::Foreign);
        assert_eq!(
            of(Some(existing(Some(owner("a former one"))))),
            Ownership::Former
        );
        let someone = OwnerReference {
            name: "else".to_owned(),
            ..owner("someone")
        };
        assert_eq!(of(Some(existing(Some(someone)))), Ownership::Foreign);
    }
}
