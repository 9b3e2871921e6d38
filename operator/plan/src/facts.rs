//! What there is of a platform already, and decides what becomes of it. Whoever carries a plan out looks.

use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};

use crate::names;

/// What there is of a platform already; nothing of one that is new.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Its services.
    pub services: Vec<DomainService>,
    /// The name of its topic in Kafka.
    pub topic: Option<String>,
}

impl Facts {
    /// The facts about a platform whose services and EventTopic are these. A platform whose EventTopic
    /// is gone still has the topic that its status names.
    pub fn of(
        platform: &BookingPlatform,
        services: Vec<DomainService>,
        topic: Option<EventTopic>,
    ) -> Self {
        let its_own = |it: &EventTopic| it.spec.platform == platform.metadata.name;
        let observed = topic.filter(its_own).map(|it| it.spec.topic_name);
        let status = platform.status.as_ref();
        Self {
            services,
            topic: observed.or_else(|| status?.topic.clone()),
        }
    }
}

/// Whether a topic may be a platform's, as far as the platform alone can tell: one that has not said
/// which topic it has may have the one of an earlier release, which had the platform's name.
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
    use innkeeper_crds::{BookingPlatformSpec, BookingPlatformStatus, EventTopicSpec};
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

    fn topic(platform: &str, name: &str) -> EventTopic {
        let spec = json!({ "topicName": name, "platform": platform });
        let spec: EventTopicSpec = serde_json::from_value(spec).unwrap();
        EventTopic::new("rentcar", spec)
    }

    #[test]
    fn a_platform_has_the_topic_of_its_object_else_the_one_that_it_had() {
        let found = |seen, topic| Facts::of(&platform(seen), Vec::new(), topic).topic;
        assert_eq!(found(None, None), None);
        let former = topic("rentcar", "rentcar");
        assert_eq!(
            found(None, Some(former.clone())).as_deref(),
            Some("rentcar")
        );
        assert_eq!(found(Some("rentcar"), None).as_deref(), Some("rentcar"));
        let both = found(Some("another"), Some(former));
        assert_eq!(both.as_deref(), Some("rentcar"));
        let foreign = topic("somebody", "else");
        assert_eq!(found(None, Some(foreign)), None);
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
