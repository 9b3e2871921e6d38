//! Metadata of the objects that belong to a service.

use std::collections::BTreeMap;

use innkeeper_crds::{DomainService, DomainServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::Resource as _;

use crate::names;

/// Metadata of an object with this name, which is deleted with its service.
pub(super) fn metadata(service: &DomainService, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: service.metadata.namespace.clone(),
        labels: Some(labels(service)),
        annotations: annotations(&service.spec),
        owner_references: service.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

/// Metadata of the service's pods.
pub(super) fn pod_metadata(service: &DomainService) -> ObjectMeta {
    ObjectMeta {
        labels: Some(labels(service)),
        annotations: annotations(&service.spec),
        ..ObjectMeta::default()
    }
}

pub(super) fn name(service: &DomainService) -> String {
    service.metadata.name.clone().unwrap_or_default()
}

/// The labels that select the service's pods.
pub(super) fn selector(service: &DomainService) -> BTreeMap<String, String> {
    names::selector(&service.spec.settings.platform, &name(service))
}

/// The same labels as a selector that could also contain expressions.
pub(super) fn label_selector(service: &DomainService) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector(service)),
        ..LabelSelector::default()
    }
}

/// The labels of a service's objects and pods, including the user's labels, which cannot replace
/// ours.
pub fn labels(service: &DomainService) -> BTreeMap<String, String> {
    let settings = &service.spec.settings;
    let mut labels = service.spec.workload.labels.clone();
    labels.extend(names::labels(
        &settings.platform,
        &name(service),
        settings.component.name(),
    ));
    labels
}

fn annotations(spec: &DomainServiceSpec) -> Option<BTreeMap<String, String>> {
    Some(spec.workload.annotations.clone()).filter(|annotations| !annotations.is_empty())
}
