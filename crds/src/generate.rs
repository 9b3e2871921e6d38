//! Generates the `CustomResourceDefinition`s of the kinds.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::{CustomResourceExt as _, Resource as _};
use serde_json::{Value, json};

use crate::status::NEVER_OBSERVED;
use crate::{BookingPlatform, DomainService, EventTopic};

static DEFINITIONS: LazyLock<Vec<CustomResourceDefinition>> = LazyLock::new(|| {
    [
        BookingPlatform::crd(),
        DomainService::crd(),
        EventTopic::crd(),
    ]
    .into_iter()
    .map(finished)
    .collect()
});

/// The `CustomResourceDefinition` of every kind.
pub fn definitions() -> &'static [CustomResourceDefinition] {
    &DEFINITIONS
}

/// Every `CustomResourceDefinition` as YAML, with the name of its file in the chart.
pub fn generate() -> Vec<(String, String)> {
    definitions().iter().map(file).collect()
}

/// The schema of a kind, which the API server checks its objects against; `None` if there is no
/// such kind.
pub fn schema(kind: &str) -> Option<Value> {
    let definition = definitions()
        .iter()
        .find(|definition| definition.spec.names.kind == kind)?;
    let version = definition.spec.versions.first()?;
    let schema = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    serde_json::to_value(schema).ok()
}

fn file(definition: &CustomResourceDefinition) -> (String, String) {
    let name = format!("{}.yaml", definition.spec.names.plural);
    let yaml = serde_yaml::to_string(definition).expect("a definition is plain data");
    (
        name,
        format!("# Generated from crds/src by `cargo xtask generate`; do not edit.\n{yaml}"),
    )
}

fn finished(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    // Helm would remove a definition with the chart, and every platform with it.
    let keep = ("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    definition.metadata.annotations = Some([keep].into());
    for version in &mut definition.spec.versions {
        let schema = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(schema) = schema {
            tidy(schema);
            begin_unobserved(schema);
            if definition.spec.names.kind == DomainService::kind(&()) {
                keep_former_lists(schema);
            }
        }
    }
    definition
}

/// Gives a new status a generation that no object has, so that it never looks current before the
/// operator has written it.
fn begin_unobserved(schema: &mut JSONSchemaProps) {
    let properties = schema.properties.as_mut();
    if let Some(status) = properties.and_then(|properties| properties.get_mut("status")) {
        let unobserved = json!({ "observedGeneration": NEVER_OBSERVED });
        status.default = Some(serde_json::from_value(unobserved).expect("any JSON is a default"));
    }
}

/// Keeps what 0.2 wrote in place of `settings` visible to the operator, which reads the order of
/// these lists when it writes a service for the first time. Nothing writes them any more; they will
/// be removed in 0.4.
fn keep_former_lists(schema: &mut JSONSchemaProps) {
    let former = json!({
        "type": "object",
        "description": "Of an earlier release: write settings instead. Only the order of its lists is read, once, at the upgrade.",
        "x-kubernetes-preserve-unknown-fields": true,
    });
    let former: JSONSchemaProps = serde_json::from_value(former).expect("it is a schema");
    let spec = schema.properties.as_mut().and_then(|it| it.get_mut("spec"));
    if let Some(fields) = spec.and_then(|spec| spec.properties.as_mut()) {
        let lists = ["gateway", "payment", "fulfillment"];
        fields.extend(lists.map(|name| (name.to_owned(), former.clone())));
    }
}

/// Removes `nullable`, because no field may be `null`, which an unfinished `gateway:` would be.
/// Replaces the formats that the API server warns of.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.format = match schema.format.as_deref() {
        Some("uint8" | "uint16") => Some("int32".to_owned()),
        Some("uint32" | "uint64") => Some("int64".to_owned()),
        other => other.map(str::to_owned),
    };
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|map| map.values_mut())
    {
        tidy(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}
