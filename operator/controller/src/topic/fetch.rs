//! Where a topic's brokers are, and who else describes the same topic.

use std::sync::Arc;

use innkeeper_crds::EventTopic;
use innkeeper_plan::ClusterDefaults;
use kube::ResourceExt as _;

/// The brokers of a topic: its own, else the installation's.
pub(super) fn bootstrap_servers<'a>(
    topic: &'a EventTopic,
    defaults: &'a ClusterDefaults,
) -> Option<&'a str> {
    let own = topic.spec.bootstrap_servers.as_deref();
    own.or(defaults.bootstrap_servers.as_deref())
}

/// The oldest object that describes the same topic of the same brokers, when it is another one: by its name, since the
/// objects that were seen may still hold a former one of the same name.
pub(super) fn older_claim(
    topic: &EventTopic,
    all: &[Arc<EventTopic>],
    defaults: &ClusterDefaults,
) -> Option<String> {
    let age = |it: &EventTopic| {
        let created = it.creation_timestamp().map(|time| time.0);
        (created, place(it))
    };
    let oldest = all
        .iter()
        .filter(|other| other.spec.topic_name == topic.spec.topic_name)
        .filter(|other| bootstrap_servers(other, defaults) == bootstrap_servers(topic, defaults))
        .filter(|other| place(other) != place(topic))
        .min_by_key(|other| age(other))?;
    (age(oldest) < age(topic)).then(|| {
        let namespace = oldest.namespace().unwrap_or_default();
        format!("{namespace}/{}", oldest.name_any())
    })
}

fn place(topic: &EventTopic) -> (Option<String>, String) {
    (topic.namespace(), topic.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(name: &str, created: &str, brokers: &str) -> Arc<EventTopic> {
        let topic = json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "EventTopic",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "creationTimestamp": created,
            },
            "spec": { "topicName": "rentcar", "bootstrapServers": brokers },
        });
        Arc::new(serde_json::from_value(topic).unwrap())
    }

    #[test]
    fn the_oldest_object_has_the_topic() {
        let all = [
            described("second", "2026-01-02T00:00:00Z", "kafka:9092"),
            described("first", "2026-01-01T00:00:00Z", "kafka:9092"),
            described("elsewhere", "2025-01-01T00:00:00Z", "other:9092"),
        ];
        let claim = |index: usize| older_claim(&all[index], &all, &ClusterDefaults::default());
        assert_eq!(claim(0).as_deref(), Some("default/first"));
        assert_eq!(claim(1), None);
        assert_eq!(claim(2), None);
    }

    #[test]
    fn a_topic_is_not_taken_by_its_own_former_self() {
        let mut former = described("rentcar", "2026-01-01T00:00:00Z", "kafka:9092");
        Arc::make_mut(&mut former).metadata.uid = Some("former".to_owned());
        let topic = described("rentcar", "2026-01-02T00:00:00Z", "kafka:9092");
        assert_eq!(
            older_claim(&topic, &[former], &ClusterDefaults::default()),
            None
        );
    }
}
