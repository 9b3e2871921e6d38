//! Other objects that describe or name the same topic in the same Kafka cluster.

use std::collections::BTreeSet;

use innkeeper_crds::{BookingPlatform, EventTopic};
use innkeeper_plan::facts::may_have_topic;
use innkeeper_plan::topic::bootstrap_servers;
use innkeeper_plan::topic::rivals::are_rivals;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, DeserializeGuard};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::owner::{fetch_namespace_stays, is_going};
use crate::cache::Cache;
use crate::context::{Context, Scope};
use crate::error::Error;

/// The other objects that describe the same topic, or one whose name collides. When the topic's
/// object is deleted, one of them gets the topic.
pub(crate) fn rivals(
    all: &Cache<EventTopic>,
    topic: &EventTopic,
) -> Vec<ObjectRef<DeserializeGuard<EventTopic>>> {
    all.state_filter(|other| other.0.as_ref().is_ok_and(|it| are_rivals(it, topic)))
        .iter()
        .map(|other| ObjectRef::from_obj(other.as_ref()))
        .collect()
}

/// An object that names the topic of another one.
#[derive(Clone, Debug, Eq, PartialEq)]
struct TopicUser {
    what: String,
    namespace: String,
    brokers: Option<String>,
}

/// Fetches a platform or another EventTopic that names the topic of an object and is not being
/// deleted. It asks the API server, because the cache may be out of date. Objects that cannot be
/// read, and brokers that do not answer, count as naming the topic.
pub(super) async fn fetch_other_user(
    ctx: &Context,
    topic: &EventTopic,
) -> Result<Option<String>, Error> {
    let name = topic.spec.topic_name.as_str();
    let mut users = fetch_all::<BookingPlatform>(ctx, |platform| {
        may_have_topic(platform, name).then(|| brokers_of(platform))
    })
    .await?;
    users.extend(
        fetch_all::<EventTopic>(ctx, |other| {
            let is_another = other.metadata.uid != topic.metadata.uid;
            let names_it = is_another && other.spec.topic_name == name;
            names_it.then(|| other.spec.bootstrap_servers.clone())
        })
        .await?,
    );
    let mut gone = BTreeSet::new();
    for user in users {
        if gone.contains(&user.namespace) {
            continue;
        }
        if fetch_namespace_stays(ctx, &user.namespace).await? == Some(false) {
            gone.insert(user.namespace);
        } else if fetch_is_same_kafka(ctx, topic, &user).await {
            return Ok(Some(user.what));
        }
    }
    Ok(None)
}

/// The brokers that a platform names or has by default. It may have other defaults than those of
/// now.
fn brokers_of(platform: &BookingPlatform) -> Option<String> {
    let messaging = platform.spec.messaging.as_ref();
    let named = messaging.and_then(|it| it.bootstrap_servers.clone());
    let status = platform.status.as_ref();
    named.or_else(|| status?.defaults.clone()?.bootstrap_servers)
}

/// Fetches the objects of a kind that name a topic and are not being deleted, from every namespace
/// that the operator may see.
async fn fetch_all<K>(
    ctx: &Context,
    names_it: impl Fn(&K) -> Option<Option<String>>,
) -> Result<Vec<TopicUser>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
{
    let resource = ApiResource::erase::<K>(&());
    let everywhere: Api<DynamicObject> = Api::all_with(ctx.client.clone(), &resource);
    let listed = match (everywhere.list(&ListParams::default()).await, &ctx.scope) {
        (Err(kube::Error::Api(status)), Scope::Namespace(namespace)) if status.code == 403 => {
            Api::namespaced_with(ctx.client.clone(), namespace, &resource)
                .list(&ListParams::default())
                .await
        }
        (listed, _) => listed,
    };
    let listed = match listed {
        // The kind itself is gone, and all of its objects with it.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Vec::new()),
        listed => listed.map_err(|source| Error::Fetch {
            what: format!("every {}", resource.kind),
            source,
        })?,
    };
    let staying = listed.into_iter().filter(|it| !is_going(&it.metadata));
    Ok(staying
        .filter_map(|object| topic_user(&resource.kind, object, &names_it))
        .collect())
}

fn topic_user<K: DeserializeOwned>(
    kind: &str,
    object: DynamicObject,
    names_it: impl Fn(&K) -> Option<Option<String>>,
) -> Option<TopicUser> {
    let namespace = object.namespace().unwrap_or_default();
    let what = format!("{kind} {namespace}/{}", object.name_any());
    let typed = serde_json::to_value(object).and_then(serde_json::from_value::<K>);
    let brokers = match &typed {
        Ok(object) => names_it(object)?,
        Err(_) => None,
    };
    Some(TopicUser {
        what,
        namespace,
        brokers,
    })
}

/// Whether an object has the same Kafka cluster as a topic: by the addresses of the brokers, else
/// by the id of the cluster.
async fn fetch_is_same_kafka(ctx: &Context, topic: &EventTopic, user: &TopicUser) -> bool {
    let own = bootstrap_servers(topic, &ctx.defaults);
    let default = ctx.defaults.bootstrap_servers.as_deref();
    let theirs = user.brokers.as_deref().or(default);
    let (Some(own), Some(theirs)) = (own, theirs) else {
        return true;
    };
    if own == theirs {
        return true;
    }
    let (own, theirs) = futures::join!(
        fetch_cluster_id(ctx, own, &topic.spec.topic_name),
        fetch_cluster_id(ctx, theirs, &topic.spec.topic_name)
    );
    own.is_none() || theirs.is_none() || own == theirs
}

async fn fetch_cluster_id(ctx: &Context, brokers: &str, topic: &str) -> Option<String> {
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics).ok()?;
    kafka
        .describe(vec![topic.to_owned()])
        .await
        .ok()?
        .cluster_id
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use innkeeper_plan::fixtures::event_topic;
    use kube::runtime::{reflector, watcher};
    use serde_json::json;

    use super::*;

    fn described(name: &str, created: &str, topic: &str, brokers: &str) -> Arc<EventTopic> {
        Arc::new(event_topic(name, created, topic, brokers))
    }

    #[test]
    fn those_that_wait_for_a_topic_are_woken_when_it_goes() {
        let created = "2026-01-01T00:00:00Z";
        let gone = described("first", created, "team.orders", "kafka:9092");
        let (store, mut writer) = reflector::store();
        for other in [
            gone.clone(),
            described("second", created, "team_orders", "kafka:9092"),
            described("third", created, "team-orders", "kafka:9092"),
        ] {
            writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(other
                .as_ref()
                .clone()))));
        }
        let woken = rivals(&store, &gone);
        let names: Vec<_> = woken.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["second"]);
    }

    #[test]
    fn a_platform_that_waits_for_new_defaults_has_its_topic_where_it_was() {
        let mut platform: BookingPlatform = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "BookingPlatform",
            "metadata": { "name": "rentcar" },
            "spec": { "services": [] },
            "status": { "defaults": { "bootstrapServers": "kafka.before:9092" } },
        }))
        .unwrap();
        let brokers = |it: &BookingPlatform| brokers_of(it).unwrap();
        assert_eq!(brokers(&platform), "kafka.before:9092");
        let own = json!({ "bootstrapServers": "kafka.own:9092" });
        platform.spec.messaging = serde_json::from_value(own).ok();
        assert_eq!(brokers(&platform), "kafka.own:9092");
    }

    #[test]
    fn an_object_that_cannot_be_read_counts_as_naming_the_topic() {
        let readable = described("first", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092");
        let mut object: DynamicObject =
            serde_json::from_value(serde_json::to_value(readable.as_ref()).unwrap()).unwrap();
        let named = |object: &DynamicObject| {
            topic_user("EventTopic", object.clone(), |it: &EventTopic| {
                (it.spec.topic_name == "another").then_some(None)
            })
        };
        assert_eq!(named(&object), None);
        object.data["spec"]["partitions"] = json!("many");
        assert_eq!(named(&object).unwrap().what, "EventTopic default/first");
    }
}
