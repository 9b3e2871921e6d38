//! What a service becomes on Kubernetes: one file per object. Nothing here can fail or look at a cluster.

mod config_map;
mod deployment;
mod horizontal_pod_autoscaler;
mod metadata;
mod pod;
mod pod_disruption_budget;
mod probes;
mod replicas;
mod resources;
mod scheduling;
mod service;
mod service_account;

use innkeeper_crds::DomainService;
use kube::Resource;
use kube::api::{ApiResource, DynamicObject};
use serde::Serialize;

use config_map::ConfigMaps;
pub use horizontal_pod_autoscaler::horizontal_pod_autoscaler;
pub use metadata::pod_labels;
pub use pod_disruption_budget::pod_disruption_budget;
pub use replicas::{ObservedReplicas, fewest_replicas, replicas};
pub use service::service;
pub use service_account::service_account;

use crate::expand::Expansion;

/// An object as it should be, with the resource that it is one of.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The resource: group, version, kind and plural.
    pub resource: ApiResource,
    /// The object itself.
    pub object: DynamicObject,
}

impl Rendered {
    /// A typed object, as one among others.
    pub fn of<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Self {
        let value = serde_json::to_value(object).expect("a Kubernetes object is plain data");
        let mut object: DynamicObject =
            serde_json::from_value(value).expect("a Kubernetes object has metadata");
        let resource = ApiResource::erase::<K>(&());
        object.types = Some(kube::api::TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
        Self { resource, object }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    /// The object as YAML.
    pub fn yaml(&self) -> String {
        serde_yaml::to_string(&self.object).expect("a Kubernetes object is plain data")
    }
}

/// Everything that a service becomes, in the order in which it is applied. `replicas` is what [`replicas()`] decided.
pub fn objects(service: &DomainService, replicas: Option<i32>) -> Vec<Rendered> {
    let config_maps = ConfigMaps::of(service);
    let mut objects = vec![Rendered::of(&service_account(service))];
    objects.extend(config_maps.iter().map(Rendered::of));
    objects.push(Rendered::of(&self::service(service)));
    objects.extend(pod_disruption_budget(service).iter().map(Rendered::of));
    objects.push(Rendered::of(&deployment::deployment(
        service,
        &config_maps,
        replicas,
    )));
    objects.extend(horizontal_pod_autoscaler(service).iter().map(Rendered::of));
    objects
}

/// Everything that a platform becomes on a cluster that has nothing of it yet, in the order in which it is applied.
pub fn platform_objects(expansion: &Expansion) -> Vec<Rendered> {
    let services = expansion.services.iter().flat_map(|service| {
        let replicas = replicas(&service.spec.workload, None);
        std::iter::once(Rendered::of(service)).chain(objects(service, replicas))
    });
    std::iter::once(Rendered::of(&expansion.topic))
        .chain(services)
        .collect()
}

#[cfg(test)]
mod tests;
