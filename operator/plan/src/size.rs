//! What a cluster takes at most, so that a file that is too large is refused before anything is
//! sent. The operator does not ask: what the API server refuses it tells by itself.

use std::collections::BTreeMap;

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::Service;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::expand::Expansion;
use crate::refusal::{Collector, Refusals, Refuser};
use crate::render::platform_objects;
use crate::rendered::Rendered;

/// Most bytes of a request to etcd, by default: <https://etcd.io/docs/v3.6/dev-guide/limit/>. The
/// API server reads requests of twice that.
const IN_ETCD: usize = 1_572_864;
/// Most bytes of all annotations of an object, and so of kubectl's copy of it:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>.
const IN_ANNOTATIONS: usize = 262_144;
/// Most bytes of the data of a ConfigMap:
/// <https://kubernetes.io/docs/concepts/configuration/configmap/>.
const IN_CONFIG_MAP: usize = 1_048_576;
/// Bytes for what the API server adds to an object: its uid and times, and who wrote it.
const ADDED: usize = 1_024;
/// The annotation in which `kubectl apply` keeps a copy of what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Refuses a platform that a cluster does not take, or an object that it becomes.
pub fn check(platform: &BookingPlatform, expansion: &Expansion) -> Result<(), Refusals> {
    let mut collector = Collector::new(Refuser::Validate);
    let remedy = "make its configuration smaller, or make two platforms of it";
    check_stored(platform, "", "the platform", remedy, &mut collector);
    check_annotations(
        platform.metadata.annotations.as_ref(),
        "metadata.annotations",
        &mut collector,
    );
    for service in &expansion.services {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        let field_path = field_path(&platform.spec.services, name);
        let what = format!("the DomainService {name}");
        let remedy = "make the service smaller, such as its `config`";
        check_stored(service, &field_path, &what, remedy, &mut collector);
        let annotations = Some(&service.spec.workload.annotations);
        let of_service = format!("{field_path}.annotations");
        check_annotations(annotations, &of_service, &mut collector);
    }
    for object in platform_objects(expansion) {
        check_config_map(&object, &platform.spec.services, &mut collector);
    }
    collector.finish(())
}

/// Whether `kubectl apply` cannot keep a copy of an object beside its annotations. The copy always
/// has annotations and a namespace, and never has an earlier copy.
pub fn is_too_large_for_last_applied(object: &Value) -> bool {
    let mut copy = object.clone();
    let Some(metadata) = copy.get_mut("metadata").and_then(Value::as_object_mut) else {
        return false;
    };
    metadata.entry("namespace").or_insert(json!("default"));
    let annotations = metadata.entry("annotations").or_insert(json!({}));
    let mut others = 0;
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove(LAST_APPLIED);
        let each = annotations.iter();
        let each = each.map(|(name, value)| name.len() + value.as_str().map_or(0, str::len));
        others = each.sum();
    }
    let newline = 1;
    others + LAST_APPLIED.len() + length(&copy) + newline > IN_ANNOTATIONS
}

fn check_stored(
    object: &impl Serialize,
    field_path: &str,
    what: &str,
    remedy: &str,
    collector: &mut Collector,
) {
    let value = serde_json::to_value(object).unwrap_or_default();
    let size = length(&value) + length_of_owned_fields(&value) + ADDED;
    if size > IN_ETCD {
        collector.refuse(
            field_path,
            format!(
                "{what} would have {size} bytes, and a cluster stores {IN_ETCD} at most: {remedy}"
            ),
        );
    }
}

fn check_annotations(
    annotations: Option<&BTreeMap<String, String>>,
    field_path: &str,
    collector: &mut Collector,
) {
    let annotations = annotations.into_iter().flatten();
    let size: usize = annotations
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > IN_ANNOTATIONS {
        collector.refuse(
            field_path,
            format!("these annotations have {size} bytes, and an object may have {IN_ANNOTATIONS}: make them smaller"),
        );
    }
}

fn check_config_map(object: &Rendered, services: &[Service], collector: &mut Collector) {
    if object.resource.kind != ConfigMap::kind(&()) {
        return;
    }
    let data = object.object.data["data"].as_object();
    let values = data.into_iter().flatten();
    let size: usize = values
        .map(|(_, value)| value.as_str().map_or(0, str::len))
        .sum();
    if size > IN_CONFIG_MAP {
        let labels = object.object.metadata.labels.as_ref();
        let service = labels.and_then(|it| it.get(crate::names::SERVICE_LABEL));
        let field_path = field_path(services, service.map_or("", String::as_str));
        collector.refuse(
            format!("{field_path}.config"),
            format!("this becomes a ConfigMap of {size} bytes, which may have {IN_CONFIG_MAP}: make it smaller"),
        );
    }
}

fn field_path(services: &[Service], name: &str) -> String {
    let index = services.iter().position(|it| it.name == name);
    format!("spec.services[{}]", index.unwrap_or_default())
}

/// The length of a value as the JSON that kubectl and the API server write: they escape what means
/// something in HTML or JavaScript.
fn length(value: &Value) -> usize {
    let text = value.to_string();
    let escaped = text.chars().map(|character| match character {
        '<' | '>' | '&' => r"\u003c".len() - 1,
        '\u{2028}' | '\u{2029}' => r"\u2028".len() - character.len_utf8(),
        _ => 0,
    });
    text.len() + escaped.sum::<usize>()
}

/// The length of the list of fields in `managedFields`, for one manager. Of arrays, only those
/// whose items have names are listed item by item.
fn length_of_owned_fields(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                r#""f:":{},"#.len() + name.len() + length_of_owned_fields(value)
            };
            fields.iter().map(field).sum()
        }
        Value::Array(items) => items
            .iter()
            .filter_map(|item| {
                let name = item.get("name")?.as_str()?;
                let key = r#""k:{\"name\":\"\"}":{".":{}},"#.len() + name.len();
                Some(key + length_of_owned_fields(item))
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::{ClusterDefaults, Executor};
    use crate::{Facts, expand, validate};

    /// Checks a platform with this metadata, whose booking service has these fields.
    fn checked(metadata: &Value, fields: &Value) -> Result<(), Refusals> {
        let mut order = json!({
            "name": "order",
            "path": "/orders",
            "booking": { "fields": { "item": "sauceId", "amount": "price" } },
        });
        for (name, value) in fields.as_object().unwrap() {
            order[name] = value.clone();
        }
        let gateway = json!({ "name": "gateway", "gateway": {} });
        let platform: BookingPlatform = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": metadata,
            "spec": { "currency": "KRW", "services": [gateway, order] },
        }))
        .unwrap();
        let database = json!({ "host": "postgres", "secretRef": { "name": "database" } });
        let executor = Executor::Cluster(ClusterDefaults {
            bootstrap_servers: Some("kafka:9092".to_owned()),
            database: serde_json::from_value(database).ok(),
            image: "innkeeper:0.3.0".to_owned(),
            ..ClusterDefaults::default()
        });
        let validated = validate(&platform, &executor).unwrap();
        check(&platform, &expand(&validated, &executor, &Facts::default()))
    }

    fn refusals(metadata: &Value, fields: &Value) -> Vec<String> {
        let refusals = checked(metadata, fields).unwrap_err().0;
        refusals.iter().map(ToString::to_string).collect()
    }

    fn name() -> Value {
        json!({ "name": "sauces" })
    }

    #[test]
    fn what_a_cluster_takes_is_taken() {
        let files = json!({ "config": { "files": { "a": "x".repeat(1_000_000) } } });
        checked(&name(), &files).unwrap();
    }

    #[test]
    fn what_etcd_does_not_take_is_refused_with_its_size() {
        let half = "x".repeat(800_000);
        let env = json!({ "config": { "env": { "A": half } } });
        let found = refusals(&name(), &env);
        assert_eq!(found.len(), 1, "{found:?}");
        let (field, size) = (
            "spec.services[1]: the DomainService order would have 16",
            "1572864",
        );
        assert!(
            found[0].starts_with(field) && found[0].contains(size),
            "{found:?}"
        );
        let whole = json!({ "config": { "files": { "a": half, "b": half } } });
        let found = refusals(&name(), &whole);
        assert!(
            found[0].starts_with("the platform would have 16"),
            "{found:?}"
        );
        assert!(
            found[2].starts_with("spec.services[1].config: this becomes a ConfigMap of 1600000")
        );
    }

    #[test]
    fn annotations_that_the_api_server_does_not_take_are_refused() {
        let long = json!({ "example.org/notes": "x".repeat(262_144) });
        let metadata = json!({ "name": "sauces", "annotations": long });
        let found = refusals(&metadata, &json!({}));
        assert!(found[0].starts_with("metadata.annotations: these annotations have 262161 bytes"));
        let found = refusals(&name(), &json!({ "annotations": long }));
        assert!(
            found[0].starts_with("spec.services[1].annotations: "),
            "{found:?}"
        );
    }

    #[test]
    fn kubectl_keeps_a_copy_up_to_the_limit_of_annotations() {
        let object =
            |length: usize| json!({ "metadata": { "name": "a" }, "spec": "x".repeat(length) });
        let copied =
            r#"{"metadata":{"annotations":{},"name":"a","namespace":"default"},"spec":""}"#;
        let room = IN_ANNOTATIONS - copied.len() - LAST_APPLIED.len() - 1;
        assert!(!is_too_large_for_last_applied(&object(room)));
        assert!(is_too_large_for_last_applied(&object(room + 1)));
        let mut annotated = object(100_000);
        annotated["metadata"]["annotations"] = json!({ LAST_APPLIED: "y".repeat(200_000) });
        assert!(!is_too_large_for_last_applied(&annotated));
        // An annotation stands beside the copy and in it.
        annotated["metadata"]["annotations"] = json!({ "a": "b".repeat(90_000) });
        assert!(is_too_large_for_last_applied(&annotated));
    }

    #[test]
    fn what_means_something_in_html_is_longer() {
        assert_eq!(
            length(&json!("a<b&c\u{2028}")),
            r#""a\u003cb\u0026c\u2028""#.len()
        );
    }
}
