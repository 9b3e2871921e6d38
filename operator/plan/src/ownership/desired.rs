//! The objects that an owner should have, and whom the existing ones belong to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::DynamicObject;

use crate::rendered::Rendered;
use crate::verdict::{Reason, Verdict};

/// The owner that controls an object.
pub fn controller_of(object: &ObjectMeta) -> Option<&OwnerReference> {
    let mut owners = object.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

/// Whom the object with a name belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ownership {
    /// There is no such object.
    Free,
    /// The object belongs to the owner; holds its uid.
    Ours(String),
    /// The object belongs to a deleted owner of the same name. Kubernetes will delete it.
    Former,
    /// The object belongs to somebody else.
    Foreign,
}

/// Whom an existing object belongs to, from the point of view of `owner`.
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

/// An object that should exist, with the object that has its name now.
#[derive(Clone, Debug)]
pub struct DesiredObject {
    /// The object as it should be.
    pub rendered: Rendered,
    /// Whom the existing object belongs to.
    pub ownership: Ownership,
    /// The existing object, if there is one.
    pub live: Option<DynamicObject>,
}

impl DesiredObject {
    /// A rendered object with the one that has its name now, from the point of view of `owner`.
    pub fn of(rendered: Rendered, live: Option<DynamicObject>, owner: &OwnerReference) -> Self {
        let ownership = ownership_of(live.as_ref().map(|it| &it.metadata), owner);
        Self {
            rendered,
            ownership,
            live,
        }
    }
}

/// What prevents desired objects from being applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// Names of objects that belong to somebody else.
    Taken(Vec<String>),
    /// Names of objects of a deleted owner of the same name that still exist.
    Former(Vec<String>),
}

impl Obstacle {
    /// The verdict about the owner that meets the obstacle.
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

/// What prevents desired objects from being applied, if anything does.
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

/// The API server refused an object, and somebody has to change something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Kind and name of the object.
    pub what: String,
    /// Why, in the words of the API server.
    pub why: String,
}

impl Refused {
    /// The verdict about the owner of the refused object.
    pub fn verdict(&self) -> Verdict {
        let Self { what, why } = self;
        Verdict::stalled(Reason::Refused, format!("{what} is refused: {why}"))
    }
}

/// Kind and name of an object, for messages.
pub fn what(rendered: &Rendered) -> String {
    format!("{} {}", rendered.resource.kind, rendered.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{owned_by, owner};

    #[test]
    fn a_name_belongs_to_whoever_owns_the_object() {
        let me = owner("me");
        let of = |metadata: Option<ObjectMeta>| ownership_of(metadata.as_ref(), &me);
        assert_eq!(of(None), Ownership::Free);
        assert_eq!(
            of(Some(owned_by(Some(owner("me"))))),
            Ownership::Ours("its-own".to_owned())
        );
        assert_eq!(of(Some(owned_by(None))), Ownership::Foreign);
        assert_eq!(
            of(Some(owned_by(Some(owner("a former one"))))),
            Ownership::Former
        );
        let someone = OwnerReference {
            name: "else".to_owned(),
            ..owner("someone")
        };
        assert_eq!(of(Some(owned_by(Some(someone)))), Ownership::Foreign);
    }
}
