//! The only module that formats names: of Kubernetes objects and their labels, of topics, consumer
//! groups, schemas and files.

use std::collections::BTreeMap;

use innkeeper_contracts::content::{short_hash, texts_hash};

/// Field manager of everything that Innkeeper applies.
pub const FIELD_MANAGER: &str = "innkeeper";
/// Label with the name of the platform.
pub const PLATFORM_LABEL: &str = "innkeeper.dev/platform";
/// Label with the name of the service.
pub const SERVICE_LABEL: &str = "innkeeper.dev/service";
/// Label that names the tool which manages an object.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Finalizer of an EventTopic whose topic is to be deleted with it.
pub const TOPIC_FINALIZER: &str = "innkeeper.dev/topic";
/// Annotation with the hash of the object that was applied.
pub const APPLIED_ANNOTATION: &str = "innkeeper.dev/applied";
/// Longest identifier that PostgreSQL does not truncate.
const SCHEMA_LENGTH: usize = 63;
/// How the names of PostgreSQL's own schemas begin, and no others
/// (<https://www.postgresql.org/docs/current/sql-createschema.html>).
const RESERVED: &str = "pg_";

/// A service in one incarnation of its platform. Consumer groups and schemas belong to such a pair.
#[derive(Clone, Copy, Debug)]
pub struct ServiceIncarnation<'a> {
    /// Namespace of the platform.
    pub namespace: &'a str,
    /// Name of the platform.
    pub platform: &'a str,
    /// Name of the service.
    pub service: &'a str,
    /// Incarnation of the platform.
    pub incarnation: u32,
}

/// Name of a service's consumer group.
pub fn consumer_group(of: ServiceIncarnation) -> String {
    let ServiceIncarnation {
        namespace,
        platform,
        service,
        incarnation,
    } = of;
    format!("{namespace}.{platform}.{service}.{incarnation}")
}

/// Name of a service's database schema: lower-case letters, digits and underscores, at most 63
/// characters.
pub fn schema(of: ServiceIncarnation) -> String {
    let parts = [of.namespace, of.platform, of.service];
    let mut readable = format!("{}__{}", parts.join("__"), of.incarnation).replace('-', "_");
    if readable.starts_with(RESERVED) {
        readable.insert(0, '_');
    }
    let ambiguous = parts.iter().any(|part| part.contains("--"));
    if !ambiguous && readable.len() <= SCHEMA_LENGTH {
        return readable;
    }
    let hash = short_hash(consumer_group(of).as_bytes());
    let kept: String = readable
        .chars()
        .take(SCHEMA_LENGTH - hash.len() - 1)
        .collect();
    format!("{kept}_{hash}")
}

/// Name of the topic of a platform that neither names a topic nor has one already. It contains the
/// namespace, so that two platforms with the same name do not share a topic.
pub fn default_topic(namespace: &str, platform: &str) -> String {
    format!("{namespace}.{platform}")
}

/// Name of the topic of a platform on one machine, whose log has no other topic.
pub fn local_topic(platform: &str) -> String {
    platform.to_owned()
}

/// Name of a platform's EventTopic.
pub fn event_topic(platform: &str) -> String {
    platform.to_owned()
}

/// Address of a service within its namespace.
pub fn address(service: &str) -> String {
    format!(
        "http://{service}:{}",
        innkeeper_contracts::pod::BUSINESS_PORT
    )
}

/// Address of a service on this machine.
pub fn local_address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Name of the file with the rows and events of all services of a platform, relative to its data
/// folder.
pub fn platform_file(incarnation: u32) -> String {
    format!("platform.{incarnation}.db")
}

/// Name of the ConfigMap with these settings of a service.
pub fn settings_config_map(service: &str, content: &BTreeMap<String, String>) -> String {
    format!("{service}-settings-{}", texts_hash(content))
}

/// Name of the ConfigMap with this configuration that the user gives a service.
pub fn configuration_config_map(service: &str, content: &BTreeMap<String, String>) -> String {
    format!("{service}-config-{}", texts_hash(content))
}

/// Name of the ConfigMap with these files that the user gives a service.
pub fn files_config_map(service: &str, content: &BTreeMap<String, String>) -> String {
    format!("{service}-files-{}", texts_hash(content))
}

/// Labels that select a service's pods. They never change.
pub fn selector(platform: &str, service: &str) -> BTreeMap<String, String> {
    [(PLATFORM_LABEL, platform), (SERVICE_LABEL, service)]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Labels of everything that belongs to a service.
pub fn labels(platform: &str, service: &str, component: &str) -> BTreeMap<String, String> {
    let mut labels = platform_labels(platform);
    labels.extend(selector(platform, service));
    labels.extend([
        ("app.kubernetes.io/name".to_owned(), service.to_owned()),
        (
            "app.kubernetes.io/component".to_owned(),
            component.to_owned(),
        ),
    ]);
    labels
}

/// Labels of everything that belongs to a platform.
pub fn platform_labels(platform: &str) -> BTreeMap<String, String> {
    [
        (PLATFORM_LABEL, platform),
        ("app.kubernetes.io/part-of", platform),
        (MANAGED_BY_LABEL, FIELD_MANAGER),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn incarnation<'a>(
        namespace: &'a str,
        platform: &'a str,
        service: &'a str,
    ) -> ServiceIncarnation<'a> {
        ServiceIncarnation {
            namespace,
            platform,
            service,
            incarnation: 2,
        }
    }

    #[test]
    fn a_schema_names_its_service() {
        assert_eq!(
            schema(incarnation("default", "rentcar", "my-pay")),
            "default__rentcar__my_pay__2"
        );
    }

    /// Names of few letters, so that different services come near each other.
    fn identity() -> impl Strategy<Value = (String, String, String, u32)> {
        let name = || "pg|pg-a|[ab]([-a]{0,4}[ab])?|a{38}[ab]";
        (name(), name(), name(), 1..3_u32)
    }

    proptest! {
        #[test]
        fn services_that_differ_share_neither_group_nor_schema(one in identity(), other in identity()) {
            prop_assume!(one != other);
            let names = |(namespace, platform, service, incarnation): &(String, String, String, u32)| {
                let of = ServiceIncarnation {
                    namespace,
                    platform,
                    service,
                    incarnation: *incarnation,
                };
                (consumer_group(of), schema(of))
            };
            let ((group, schema), (other_group, other_schema)) = (names(&one), names(&other));
            prop_assert!(!schema.starts_with("pg_"), "{}", schema);
            prop_assert_ne!(group, other_group);
            prop_assert_ne!(schema, other_schema);
        }
    }

    #[test]
    fn a_schema_fits_and_stays_apart_from_its_neighbours() {
        let long = "a".repeat(40);
        let name = schema(incarnation(&long, &long, "pay"));
        assert_eq!(name.len(), 63);
        assert_ne!(name, schema(incarnation(&long, &long, "pal")));
        assert_ne!(
            schema(incarnation("a", "b--c", "pay")),
            schema(incarnation("a--b", "c", "pay"))
        );
    }
}
