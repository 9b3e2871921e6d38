//! Renders a service as Kubernetes objects, with one module per object. Nothing here can fail or
//! read from a cluster.

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

use config_map::ConfigMaps;
pub use horizontal_pod_autoscaler::horizontal_pod_autoscaler;
use innkeeper_crds::DomainService;
pub use metadata::labels;
pub use pod_disruption_budget::pod_disruption_budget;
pub use replicas::{ObservedReplicas, fewest_replicas, replicas};
pub use service::service;
pub use service_account::service_account;

use crate::expand::Expansion;
use crate::rendered::Rendered;

/// The objects of a service, in the order in which to apply them. `replicas` is the result of
/// [`replicas()`].
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

/// The objects of a platform on a cluster that has none of them yet, in the order in which to apply
/// them.
pub fn platform_objects(expansion: &Expansion) -> Vec<Rendered> {
    let of_service = |service: &DomainService| {
        let replicas = replicas(&service.spec.workload, None);
        std::iter::once(Rendered::of(service)).chain(objects(service, replicas))
    };
    let topic = std::iter::once(Rendered::of(&expansion.topic));
    topic
        .chain(expansion.services.iter().flat_map(of_service))
        .collect()
}

#[cfg(test)]
mod tests;
