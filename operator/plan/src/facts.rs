//! What a platform has already, as far as the plan depends on it.

mod order;

use std::collections::BTreeMap;

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::platform::InstallationDefaults;
use kube::api::DynamicObject;
use serde_json::{Value, json};

pub use order::Order;

use crate::names;

/// What a platform has already; a new platform has nothing.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The order of the lists in each service, by the service's name.
    pub orders: BTreeMap<String, Order>,
    /// Name of the platform's topic in Kafka.
    pub topic: Option<String>,
    /// The installation's defaults that its services have; `None` if there are no services.
    pub defaults: Option<InstallationDefaults>,
}

impl Facts {
    /// The facts about a platform with these services. Its status names its topic, and the defaults
    /// that its services have; else they show those themselves.
    pub fn of<'a>(
        platform: &BookingPlatform,
        services: impl IntoIterator<Item = &'a DynamicObject>,
    ) -> Self {
        let services: Vec<_> = services.into_iter().collect();
        let status = platform.status.as_ref();
        let order = |service: &DynamicObject| {
            let name = service.metadata.name.clone()?;
            Some((name, Order::of(&service.data["spec"])))
        };
        Self {
            orders: services.iter().copied().filter_map(order).collect(),
            topic: pinned_topic(platform),
            defaults: (!services.is_empty()).then(|| {
                let recorded = status.and_then(|it| it.defaults.clone());
                recorded.unwrap_or_else(|| shown_defaults(platform, &services))
            }),
        }
    }

    /// The facts after values were pinned in the platform's status.
    #[must_use]
    pub fn pinned(self, platform: &BookingPlatform) -> Self {
        Self {
            topic: pinned_topic(platform),
            ..self
        }
    }
}

fn pinned_topic(platform: &BookingPlatform) -> Option<String> {
    platform.status.as_ref()?.topic.clone()
}

/// The installation's defaults that services have, by their settings. Where a service has a
/// database of its own, its settings do not show the default.
fn shown_defaults(platform: &BookingPlatform, services: &[&DynamicObject]) -> InstallationDefaults {
    let spec = &platform.spec;
    let has_own = |name: &str| {
        let mut described = spec.services.iter();
        spec.database.is_some() || described.any(|it| it.name == name && it.database.is_some())
    };
    let brokers = |service: &&DynamicObject| {
        let brokers = &service.data["spec"]["settings"]["log"]["kafka"]["bootstrapServers"];
        brokers.as_str().map(str::to_owned)
    };
    let has_own_brokers = spec
        .messaging
        .as_ref()
        .is_some_and(|it| it.bootstrap_servers.is_some());
    let kafka = |service: &&DynamicObject| {
        let spec = &service.data["spec"];
        let mut kafka = spec["settings"]["log"]["kafka"].clone();
        add_secrets(kafka.get_mut("tls"), &spec["kafkaTls"]);
        if let Some(sasl) = kafka.get_mut("sasl").and_then(Value::as_object_mut) {
            sasl.insert(
                "secretRef".to_owned(),
                json!({ "name": spec["kafkaSecret"] }),
            );
        }
        let kafka: KafkaSecurity = serde_json::from_value(kafka).ok()?;
        Some(kafka).filter(|it| !has_own_brokers && *it != KafkaSecurity::default())
    };
    let database = |service: &&DynamicObject| {
        let name = service.metadata.name.as_deref()?;
        let spec = &service.data["spec"];
        let mut database = spec["settings"]["database"]["postgres"].clone();
        database["secretRef"] = json!({ "name": spec["databaseSecret"].as_str()? });
        add_secrets(database.get_mut("tls"), &spec["databaseTls"]);
        let database = serde_json::from_value(database).ok();
        database.filter(|_| !has_own(name))
    };
    InstallationDefaults {
        bootstrap_servers: services.iter().find_map(brokers),
        kafka: services.iter().find_map(kafka),
        database: services.iter().find_map(database),
    }
}

/// Adds the Secrets with certificates, which a service has beside its settings.
fn add_secrets(tls: Option<&mut Value>, secrets: &Value) {
    let tls = tls.and_then(Value::as_object_mut);
    if let (Some(tls), Some(secrets)) = (tls, secrets.as_object()) {
        tls.extend(secrets.clone());
    }
}

/// Whether a topic may belong to a platform, as far as the platform alone can tell. While its
/// status names no topic, that may also be the one that an earlier release named after the platform
/// alone.
pub fn may_have_topic(platform: &BookingPlatform, topic: &str) -> bool {
    let messaging = platform.spec.messaging.as_ref();
    let given = messaging.and_then(|it| it.topic.as_ref()?.name.as_deref());
    let seen = platform.status.as_ref().and_then(|it| it.topic.as_deref());
    if let Some(name) = given.or(seen) {
        return name == topic;
    }
    let metadata = &platform.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    topic == name || topic == names::default_topic(namespace, name)
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::{BookingPlatformSpec, BookingPlatformStatus};
    use serde_json::json;

    use super::*;

    fn platform(seen: Option<&str>) -> BookingPlatform {
        let spec: BookingPlatformSpec = serde_json::from_value(json!({ "services": [] })).unwrap();
        let mut platform = BookingPlatform::named("rentcar", "shop", spec);
        platform.status = Some(BookingPlatformStatus {
            topic: seen.map(str::to_owned),
            ..BookingPlatformStatus::default()
        });
        platform
    }

    #[test]
    fn a_platform_has_the_topic_that_its_status_names() {
        let topic = |seen| Facts::of(&platform(seen), &[]).topic;
        assert_eq!(topic(None), None);
        assert_eq!(topic(Some("rentcar")).as_deref(), Some("rentcar"));
    }

    #[test]
    fn services_show_how_they_reach_the_installations_kafka() {
        let service: DynamicObject = serde_json::from_value(json!({
            "metadata": { "name": "pay" },
            "spec": {
                "settings": { "log": { "kafka": {
                    "bootstrapServers": "kafka:9093",
                    "tls": { "mode": "VerifyFull", "caFile": "/etc/innkeeper/kafka-ca/ca.crt" },
                    "sasl": { "mechanism": "PLAIN", "credentialsDir": "/etc/innkeeper/kafka" },
                } } },
                "kafkaSecret": "login",
                "kafkaTls": { "caSecretRef": { "name": "ca", "key": "ca.crt" } },
            },
        }))
        .unwrap();
        let shown = |platform: &BookingPlatform| {
            let defaults = Facts::of(platform, [&service]).defaults.unwrap();
            serde_json::to_value(defaults.kafka).unwrap()
        };
        let expected = json!({
            "tls": { "mode": "VerifyFull", "caSecretRef": { "name": "ca", "key": "ca.crt" } },
            "sasl": { "mechanism": "PLAIN", "secretRef": { "name": "login" } },
        });
        assert_eq!(shown(&platform(None)), expected);
        let mut own = platform(None);
        own.spec.messaging =
            serde_json::from_value(json!({ "bootstrapServers": "kafka:9093" })).ok();
        assert_eq!(shown(&own), Value::Null);
    }

    #[test]
    fn a_platform_may_have_its_own_topic_and_no_other() {
        let may_have = |seen, name: &str| may_have_topic(&platform(seen), name);
        assert!(may_have(Some("cars"), "cars") && !may_have(Some("cars"), "rentcar"));
        assert!(may_have(None, "shop.rentcar") && may_have(None, "rentcar"));
        assert!(!may_have(None, "other.rentcar"));
        let mut named = platform(None);
        named.spec.messaging = serde_json::from_value(json!({ "topic": { "name": "cars" } })).ok();
        assert!(may_have_topic(&named, "cars") && !may_have_topic(&named, "shop.rentcar"));
    }
}
