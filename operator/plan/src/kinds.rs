//! The registry of kinds: what the operator does with the objects of each. Watches, permissions, readiness,
//! metrics, pruning, and the roles in the chart follow from it.

use std::sync::LazyLock;

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;
use kube::api::ApiResource;

/// A kind, and what the operator does with its objects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kind {
    /// Its group, version, name and plural.
    pub resource: ApiResource,
    /// Whether it is of Innkeeper's own API: its objects are reconciled and have a status.
    pub is_ours: bool,
    /// The kind of the objects that own those that the operator makes of this one.
    pub parent: Option<String>,
    /// When an object is deleted that its owner no longer asks for; `None` where every owner
    /// always asks for it.
    pub prune: Option<Prune>,
    /// How the operator hears of changes.
    pub watch: Watch,
}

/// When an object is deleted that its owner no longer asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prune {
    /// Before the owner's other objects are applied, because it would go on acting on them.
    First,
    /// After the owner's other objects are applied, because they may have used it until then.
    Last,
}

/// How the operator hears of changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Watch {
    /// By the metadata of the objects that carry our label; a change wakes the owner.
    Labelled,
    /// Otherwise: an object of somebody else may concern a service, or its owner is not the one to
    /// wake.
    Special,
}

/// Every kind that the operator watches; parents before their children.
pub fn kinds() -> &'static [Kind] {
    static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
        let of_platforms = [
            Kind::of::<EventTopic>().ours(),
            Kind::of::<DomainService>().ours().pruned(Prune::Last),
        ];
        let of_services = [
            Kind::of::<ServiceAccount>(),
            Kind::of::<ConfigMap>().pruned(Prune::Last),
            Kind::of::<Service>(),
            Kind::of::<PodDisruptionBudget>()
                .pruned(Prune::First)
                .specially_watched(),
            Kind::of::<Deployment>(),
            Kind::of::<HorizontalPodAutoscaler>()
                .pruned(Prune::First)
                .specially_watched(),
        ];
        let mut kinds = vec![Kind::of::<BookingPlatform>().ours()];
        kinds.extend(of_platforms.map(Kind::child_of::<BookingPlatform>));
        kinds.extend(of_services.map(Kind::child_of::<DomainService>));
        kinds.push(Kind::of::<ReplicaSet>().specially_watched());
        kinds
    });
    &KINDS
}

/// The kinds of Innkeeper's own API.
pub fn ours() -> impl Iterator<Item = &'static Kind> {
    kinds().iter().filter(|kind| kind.is_ours)
}

/// The kinds of the objects that the operator makes for an object of the kind `K`.
pub fn children_of<K: Resource<DynamicType = ()>>() -> impl Iterator<Item = &'static Kind> {
    let parent = K::kind(&());
    kinds()
        .iter()
        .filter(move |kind| kind.parent.as_deref() == Some(&*parent))
}

impl Kind {
    fn of<K: Resource<DynamicType = ()>>() -> Self {
        Self {
            resource: ApiResource::erase::<K>(&()),
            is_ours: false,
            parent: None,
            prune: None,
            watch: Watch::Labelled,
        }
    }

    /// Whether its objects own objects that the operator makes.
    pub fn is_parent(&self) -> bool {
        let name = Some(&self.resource.kind);
        kinds().iter().any(|kind| kind.parent.as_ref() == name)
    }

    fn ours(self) -> Self {
        Self {
            is_ours: true,
            ..self
        }
    }

    fn child_of<K: Resource<DynamicType = ()>>(self) -> Self {
        Self {
            parent: Some(K::kind(&()).into_owned()),
            ..self
        }
    }

    fn pruned(self, when: Prune) -> Self {
        Self {
            prune: Some(when),
            ..self
        }
    }

    fn specially_watched(self) -> Self {
        Self {
            watch: Watch::Special,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_that_is_defined_is_registered() {
        let defined: BTreeSet<_> = innkeeper_crds::generate::definitions()
            .iter()
            .map(|it| it.spec.names.plural.clone())
            .collect();
        let registered: BTreeSet<_> = ours().map(|it| it.resource.plural.clone()).collect();
        assert_eq!(registered, defined);
    }
}
