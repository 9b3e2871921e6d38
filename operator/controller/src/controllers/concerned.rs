//! Wakes the services that an autoscaler or a disruption budget concerns, whoever created it: when
//! it is created or deleted, and when a change makes it concern other services. Changes of its
//! status, which are frequent, wake nothing.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::mem;

use futures::{Stream, StreamExt as _, stream};
use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::others::{scaled_deployment, selects};
use innkeeper_plan::render::labels;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::cache::Cache;

/// A kind of object that people put beside a service and that acts on its pods.
pub(super) trait Companion:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + PartialEq + Send + Sync + 'static
{
    /// Whether the object acts on a service of its namespace.
    fn is_about(&self, service: &DomainService) -> bool;
    /// The object without its status.
    fn without_status(self) -> Self;
}

impl Companion for HorizontalPodAutoscaler {
    fn is_about(&self, service: &DomainService) -> bool {
        let deployment = service.metadata.name.as_deref();
        deployment.is_some() && scaled_deployment(self) == deployment
    }

    fn without_status(mut self) -> Self {
        self.status = None;
        self
    }
}

impl Companion for PodDisruptionBudget {
    fn is_about(&self, service: &DomainService) -> bool {
        selects(self, &labels(service))
    }

    fn without_status(mut self) -> Self {
        self.status = None;
        self
    }
}

/// The services that objects of a kind concern, whenever that may have changed.
pub(super) fn by<K: Companion>(
    api: Api<K>,
    services: Cache<DomainService>,
) -> impl Stream<Item = ObjectRef<DeserializeGuard<DomainService>>> + Send + 'static {
    let mut known = Known::of(services);
    let events = watcher(api, Config::default()).default_backoff();
    events.flat_map(move |event| {
        stream::iter(match event {
            Ok(event) => known.woken_by(event),
            Err(error) => {
                tracing::warn!(%error, "a watch was interrupted");
                Woken::new()
            }
        })
    })
}

/// Services that are to be reconciled because of an object beside them.
type Woken = Vec<ObjectRef<DeserializeGuard<DomainService>>>;

/// The objects of a kind as they were last seen.
struct Known<K: Companion> {
    services: Cache<DomainService>,
    objects: HashMap<ObjectRef<K>, K>,
    /// Objects that the current list has not shown yet.
    unlisted: HashSet<ObjectRef<K>>,
}

impl<K: Companion> Known<K> {
    fn of(services: Cache<DomainService>) -> Self {
        Self {
            services,
            objects: HashMap::new(),
            unlisted: HashSet::new(),
        }
    }

    fn woken_by(&mut self, event: Event<K>) -> Woken {
        match event {
            Event::Init => {
                self.unlisted = self.objects.keys().cloned().collect();
                Woken::new()
            }
            Event::InitApply(object) | Event::Apply(object) => self.seen(object),
            Event::Delete(object) => self.gone(&ObjectRef::from_obj(&object)),
            Event::InitDone => {
                let gone = mem::take(&mut self.unlisted);
                gone.iter().flat_map(|object| self.gone(object)).collect()
            }
        }
    }

    fn seen(&mut self, object: K) -> Woken {
        let name = ObjectRef::from_obj(&object);
        let now = meaning(object);
        self.unlisted.remove(&name);
        let before = self.objects.insert(name, now.clone());
        if before.as_ref() == Some(&now) {
            return Woken::new();
        }
        let both = before.iter().chain([&now]);
        both.flat_map(|object| self.concerned(object)).collect()
    }

    fn gone(&mut self, name: &ObjectRef<K>) -> Woken {
        let gone = self.objects.remove(name);
        gone.map(|object| self.concerned(&object))
            .unwrap_or_default()
    }

    /// The services that an object acts on, or that own it.
    fn concerned(&self, object: &K) -> Woken {
        let owners = object.owner_references();
        let owns = |service: &DomainService| {
            let mut uids = owners.iter().map(|it| &it.uid);
            uids.any(|uid| Some(uid) == service.metadata.uid.as_ref())
        };
        let is_concerned = |it: &DomainService| owns(it) || object.is_about(it);
        let concerned = self.services.state_filter(|service| {
            service.namespace() == object.namespace() && service.0.as_ref().is_ok_and(is_concerned)
        });
        concerned
            .iter()
            .map(|service| ObjectRef::from_obj(service.as_ref()))
            .collect()
    }
}

/// The object without the parts that change although its meaning does not.
fn meaning<K: Companion>(object: K) -> K {
    let mut object = object.without_status();
    let metadata = object.meta_mut();
    metadata.resource_version = None;
    let managers = metadata.managed_fields.iter_mut();
    managers.for_each(|it| it.retain(|entry| entry.subresource.as_deref() != Some("status")));
    object
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;
    use serde_json::{Value, json};

    use super::*;

    fn known<K: Companion>() -> Known<K> {
        let (services, mut writer) = reflector::store();
        for (namespace, name) in [("shop", "pay"), ("shop", "rent"), ("else", "pay")] {
            let mut service = innkeeper_plan::fixtures::service(name, &json!({}));
            service.metadata.namespace = Some(namespace.to_owned());
            writer.apply_watcher_event(&Event::Apply(DeserializeGuard(Ok(service))));
        }
        Known::of(services)
    }

    fn autoscaler(owner: Option<&str>, target: &str, status: i32) -> HorizontalPodAutoscaler {
        let references =
            |uid| json!([{ "apiVersion": "v1", "kind": "Any", "name": "any", "uid": uid }]);
        serde_json::from_value(json!({
            "metadata": {
                "name": "any",
                "namespace": "shop",
                "resourceVersion": status.to_string(),
                "ownerReferences": owner.map(references),
                "managedFields": [{ "manager": "any", "subresource": "status", "time": format!("2026-01-01T00:00:0{status}Z") }],
            },
            "spec": {
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": target },
                "maxReplicas": 5,
            },
            "status": { "desiredReplicas": status },
        }))
        .unwrap()
    }

    fn budget(selector: &Value) -> PodDisruptionBudget {
        serde_json::from_value(json!({
            "metadata": { "name": "any", "namespace": "shop" },
            "spec": { "selector": selector },
        }))
        .unwrap()
    }

    fn woken<K: Companion>(known: &mut Known<K>, event: Event<K>) -> Vec<String> {
        let found = known.woken_by(event).into_iter();
        let mut names: Vec<_> = found
            .map(|it| format!("{}/{}", it.namespace.unwrap(), it.name))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_autoscaler_wakes_the_service_it_scales_and_its_owner() {
        let came = |owner, target| {
            let event = Event::Apply(autoscaler(owner, target, 1));
            woken(&mut known(), event)
        };
        assert_eq!(came(None, "pay"), ["shop/pay"]);
        assert_eq!(came(Some("shop/rent"), "pay"), ["shop/pay", "shop/rent"]);
        assert!(came(None, "other").is_empty());
    }

    #[test]
    fn a_change_of_status_wakes_nothing() {
        let mut known = known();
        woken(&mut known, Event::Apply(autoscaler(None, "pay", 1)));
        let status = Event::Apply(autoscaler(None, "pay", 2));
        assert!(woken(&mut known, status).is_empty());
    }

    #[test]
    fn a_change_also_wakes_the_service_that_it_concerned_before() {
        let mut known = known();
        woken(&mut known, Event::Apply(autoscaler(None, "pay", 1)));
        let elsewhere = Event::Apply(autoscaler(None, "rent", 2));
        assert_eq!(woken(&mut known, elsewhere), ["shop/pay", "shop/rent"]);
    }

    #[test]
    fn a_deletion_wakes_the_service_it_concerned_even_if_the_watch_missed_it() {
        let mut known = known();
        woken(&mut known, Event::Apply(autoscaler(None, "pay", 1)));
        let deleted = Event::Delete(autoscaler(None, "pay", 2));
        assert_eq!(woken(&mut known, deleted), ["shop/pay"]);
        woken(&mut known, Event::Apply(autoscaler(None, "rent", 3)));
        assert!(woken(&mut known, Event::Init).is_empty());
        assert_eq!(woken(&mut known, Event::InitDone), ["shop/rent"]);
    }

    #[test]
    fn an_object_that_is_listed_again_wakes_nothing() {
        let mut known = known();
        woken(&mut known, Event::InitApply(autoscaler(None, "pay", 1)));
        woken(&mut known, Event::Init);
        let again = Event::InitApply(autoscaler(None, "pay", 1));
        assert!(woken(&mut known, again).is_empty());
        assert!(woken(&mut known, Event::InitDone).is_empty());
    }

    #[test]
    fn a_budget_wakes_the_services_whose_pods_it_selects() {
        let came = |selector| woken(&mut known(), Event::Apply(budget(&selector)));
        let label = innkeeper_plan::names::SERVICE_LABEL;
        assert_eq!(
            came(json!({ "matchLabels": { label: "pay" } })),
            ["shop/pay"]
        );
        assert_eq!(came(json!({})), ["shop/pay", "shop/rent"]);
        assert!(came(Value::Null).is_empty());
    }
}
