//! The definitions of the kinds as files.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use serde_json::{Value, json};

use crate::status::NEVER_OBSERVED;
use crate::{BookingPlatform, DomainService, EventTopic};

/// The definition of every kind.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    [
        BookingPlatform::crd(),
        DomainService::crd(),
        EventTopic::crd(),
    ]
    .into_iter()
    .map(finished)
    .collect()
}

/// Every definition as YAML, with the name of its file in `crds/yaml/`.
pub fn generate() -> Vec<(String, String)> {
    definitions().iter().map(file).collect()
}

/// The schema of a kind, as the API server holds its objects to it.
pub fn schema(kind: &str) -> Option<Value> {
    let definition = definitions()
        .into_iter()
        .find(|definition| definition.spec.names.kind == kind)?;
    let version = definition.spec.versions.into_iter().next()?;
    serde_json::to_value(version.schema?.open_api_v3_schema?).ok()
}

fn file(definition: &CustomResourceDefinition) -> (String, String) {
    let name = format!("{}.yaml", definition.spec.names.plural);
    let yaml = serde_yaml::to_string(definition).expect("a definition is plain data");
    (
        name,
        format!("# Generated from crds/src by `cargo xtask generate`; do not edit.\n{yaml}"),
    )
}

/// A status begins with a generation that nothing has, so that nothing reads as current before it was looked at.
fn finished(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut definition.spec.versions {
        let status = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
            .and_then(|schema| schema.properties.as_mut())
            .and_then(|properties| properties.get_mut("status"));
        if let Some(status) = status {
            let unseen = json!({ "observedGeneration": NEVER_OBSERVED });
            status.default = Some(serde_json::from_value(unseen).expect("any JSON is a default"));
        }
    }
    definition
}
