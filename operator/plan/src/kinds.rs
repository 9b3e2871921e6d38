//! The registry of kinds: what the operator does with the objects of each kind. Watches,
//! permissions, readiness, metrics, pruning and the chart's roles are derived from it.

use std::sync::LazyLock;

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;
use kube::api::ApiResource;

/// A kind, and what the operator does with its objects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kind {
    /// Group, version, name and plural of the kind.
    pub resource: ApiResource,
    /// Whether the kind belongs to Innkeeper's own API. The operator reconciles such objects and
    /// writes their status.
    pub is_ours: bool,
    /// The kind that owns the objects which the operator creates of this kind.
    pub parent: Option<String>,
    /// When to delete an object that its owner no longer asks for; `None` if every owner always
    /// asks for it.
    pub prune: Option<Prune>,
    /// How the operator notices changes.
    pub watch: Watch,
}

/// When to delete an object that its owner no longer asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prune {
    /// Before the owner's other objects are applied, because the object would act on them.
    First,
    /// After the owner's other objects are applied, because they may have used the object until
    /// then.
    Last,
}

/// How the operator notices changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Watch {
    /// By watching the metadata of the objects with our label. A change wakes the owner.
    Labelled,
    /// By a watch of its own in the controllers: objects of other people may concern a service
    /// (autoscalers, disruption budgets), or the object to wake is not the owner (replica sets,
    /// pods).
    Special,
}

/// Every kind that the operator watches, parents before their children.
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
        kinds.push(Kind::of::<Pod>().specially_watched());
        kinds
    });
    &KINDS
}

/// The kinds of Innkeeper's own API.
pub fn ours() -> impl Iterator<Item = &'static Kind> {
    kinds().iter().filter(|kind| kind.is_ours)
}

/// The kinds of the objects that the operator creates for an object of kind `K`.
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

    /// Whether objects of this kind own objects that the operator creates.
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
    fn a_platform_prunes_last_what_it_fetched_at_first() {
        let pruned = children_of::<BookingPlatform>().filter(|it| it.prune.is_some());
        let pruned: Vec<_> = pruned.map(|it| (&*it.resource.kind, it.prune)).collect();
        assert_eq!(
            pruned,
            [("DomainService", Some(Prune::Last))],
            "never a topic"
        );
    }

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
