//! Who else describes the same topic of the same Kafka.

use std::sync::Arc;

use innkeeper_crds::EventTopic;
use kube::ResourceExt as _;

use super::bootstrap_servers;
use crate::executor::ClusterDefaults;

/// An older object that has the topic, or one that Kafka takes for the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OlderRival {
    /// Its namespace and name.
    pub object: String,
    /// The name of its topic.
    pub topic_name: String,
}

/// The oldest object that describes the same topic of the same brokers, when it is another one: by its name, since the
/// objects that were seen may still hold a former one of the same name.
pub fn older_rival(
    topic: &EventTopic,
    all: &[Arc<EventTopic>],
    defaults: &ClusterDefaults,
) -> Option<OlderRival> {
    let age = |it: &EventTopic| {
        let created = it.creation_timestamp().map(|time| time.0);
        (created, identity(it))
    };
    let oldest = all
        .iter()
        .filter(|other| collide(&other.spec.topic_name, &topic.spec.topic_name))
        .filter(|other| bootstrap_servers(other, defaults) == bootstrap_servers(topic, defaults))
        .filter(|other| identity(other) != identity(topic))
        .min_by_key(|other| age(other))?;
    (age(oldest) < age(topic)).then(|| OlderRival {
        object: qualified(oldest),
        topic_name: oldest.spec.topic_name.clone(),
    })
}

/// Whether two objects are not the same one and describe the same topic, or one that Kafka takes for the same.
pub fn are_rivals(one: &EventTopic, other: &EventTopic) -> bool {
    identity(one) != identity(other) && collide(&one.spec.topic_name, &other.spec.topic_name)
}

/// Whether Kafka takes two names for the same one: in the names of its metrics a dot becomes an underscore.
/// <https://github.com/apache/kafka/blob/4.1/clients/src/main/java/org/apache/kafka/common/internals/Topic.java>
pub fn collide(one: &str, other: &str) -> bool {
    let unified = |name: &str| name.replace('.', "_");
    unified(one) == unified(other)
}

fn qualified(topic: &EventTopic) -> String {
    let (namespace, name) = identity(topic);
    format!("{}/{name}", namespace.unwrap_or_default())
}

/// By its name, since a former object of the same name may have been seen last.
fn identity(topic: &EventTopic) -> (Option<String>, String) {
    (topic.namespace(), topic.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(name: &str, created: &str, topic: &str, brokers: &str) -> Arc<EventTopic> {
        let topic = json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "creationTimestamp": created,
            },
            "spec": { "topicName": topic, "bootstrapServers": brokers },
        });
        Arc::new(serde_json::from_value(topic).unwrap())
    }

    fn older(topic: &EventTopic, all: &[Arc<EventTopic>]) -> Option<(String, String)> {
        let older = older_rival(topic, all, &ClusterDefaults::default())?;
        Some((older.object, older.topic_name))
    }

    #[test]
    fn the_oldest_object_has_the_topic() {
        let all = [
            described("second", "2026-01-02T00:00:00Z", "rentcar", "kafka:9092"),
            described("first", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092"),
            described("elsewhere", "2025-01-01T00:00:00Z", "rentcar", "other:9092"),
        ];
        let first = ("default/first".to_owned(), "rentcar".to_owned());
        assert_eq!(older(&all[0], &all), Some(first));
        assert_eq!(older(&all[1], &all), None);
        assert_eq!(older(&all[2], &all), None);
    }

    #[test]
    fn the_oldest_object_has_the_names_that_kafka_takes_for_its_own() {
        let all = [
            described(
                "second",
                "2026-01-02T00:00:00Z",
                "team_orders",
                "kafka:9092",
            ),
            described("first", "2026-01-01T00:00:00Z", "team.orders", "kafka:9092"),
            described("third", "2026-01-03T00:00:00Z", "team-orders", "kafka:9092"),
        ];
        let first = ("default/first".to_owned(), "team.orders".to_owned());
        assert_eq!(older(&all[0], &all), Some(first));
        assert_eq!(older(&all[2], &all), None);
    }

    #[test]
    fn a_topic_is_not_taken_by_its_own_former_self() {
        let mut former = described("rentcar", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092");
        Arc::make_mut(&mut former).metadata.uid = Some("former".to_owned());
        let topic = described("rentcar", "2026-01-02T00:00:00Z", "rentcar", "kafka:9092");
        assert_eq!(older(&topic, &[former]), None);
    }
}
