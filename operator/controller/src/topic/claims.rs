//! Who else describes the same topic of the same Kafka.

use std::collections::BTreeSet;
use std::sync::Arc;

use innkeeper_crds::{BookingPlatform, EventTopic};
use innkeeper_plan::ClusterDefaults;
use innkeeper_plan::facts::may_have_topic;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, DeserializeGuard};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::fetch::bootstrap_servers;
use super::owner::{is_going, namespace_stays};
use crate::context::{Context, Scope};
use crate::error::Error;
use crate::seen::Seen;

/// An older object that has the topic, or one that Kafka takes for the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct OlderClaim {
    /// Its namespace and name.
    pub object: String,
    /// The name of its topic.
    pub topic_name: String,
}

/// The oldest object that describes the same topic of the same brokers, when it is another one: by its name, since the
/// objects that were seen may still hold a former one of the same name.
pub(super) fn older_claim(
    topic: &EventTopic,
    all: &[Arc<EventTopic>],
    defaults: &ClusterDefaults,
) -> Option<OlderClaim> {
    let age = |it: &EventTopic| {
        let created = it.creation_timestamp().map(|time| time.0);
        (created, place(it))
    };
    let oldest = all
        .iter()
        .filter(|other| collide(&other.spec.topic_name, &topic.spec.topic_name))
        .filter(|other| bootstrap_servers(other, defaults) == bootstrap_servers(topic, defaults))
        .filter(|other| place(other) != place(topic))
        .min_by_key(|other| age(other))?;
    (age(oldest) < age(topic)).then(|| OlderClaim {
        object: qualified(oldest.as_ref()),
        topic_name: oldest.spec.topic_name.clone(),
    })
}

/// The other objects that describe a topic, or one that Kafka takes for the same: once it goes, one of them has it.
pub(crate) fn rivals(
    all: &Seen<EventTopic>,
    topic: &EventTopic,
) -> Vec<ObjectRef<DeserializeGuard<EventTopic>>> {
    let names_it = |other: &EventTopic| {
        place(other) != place(topic) && collide(&other.spec.topic_name, &topic.spec.topic_name)
    };
    all.state_filter(|other| other.0.as_ref().is_ok_and(names_it))
        .iter()
        .map(|other| ObjectRef::from_obj(other.as_ref()))
        .collect()
}

/// Whether Kafka takes two names for the same one: in the names of its metrics a dot becomes an underscore.
/// <https://github.com/apache/kafka/blob/4.1/clients/src/main/java/org/apache/kafka/common/internals/Topic.java>
pub(super) fn collide(one: &str, other: &str) -> bool {
    let unified = |name: &str| name.replace('.', "_");
    unified(one) == unified(other)
}

fn place(topic: &EventTopic) -> (Option<String>, String) {
    (topic.namespace(), topic.name_any())
}

fn qualified<K: Resource>(object: &K) -> String {
    let namespace = object.namespace().unwrap_or_default();
    format!("{namespace}/{}", object.name_any())
}

/// An object that names the topic of another one.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Claimant {
    what: String,
    namespace: String,
    brokers: Option<String>,
}

/// A living platform, or another `EventTopic` that stays, that names the topic of an object: asked of the API server, since
/// what was seen before may be out of date. What cannot be read, and brokers that do not answer, count as naming it.
pub(super) async fn fetch_living_claim(
    ctx: &Context,
    topic: &EventTopic,
) -> Result<Option<String>, Error> {
    let name = topic.spec.topic_name.as_str();
    let mut claimants = fetch_all::<BookingPlatform>(ctx, |platform| {
        let messaging = platform.spec.messaging.as_ref();
        let brokers = messaging.and_then(|it| it.bootstrap_servers.clone());
        may_have_topic(platform, name).then_some(brokers)
    })
    .await?;
    claimants.extend(
        fetch_all::<EventTopic>(ctx, |other| {
            let is_another = other.metadata.uid != topic.metadata.uid;
            let names_it = is_another && other.spec.topic_name == name;
            names_it.then(|| other.spec.bootstrap_servers.clone())
        })
        .await?,
    );
    let mut gone = BTreeSet::new();
    for claimant in claimants {
        if gone.contains(&claimant.namespace) {
            continue;
        }
        if namespace_stays(ctx, &claimant.namespace).await? == Some(false) {
            gone.insert(claimant.namespace);
        } else if is_same_kafka(ctx, topic, &claimant).await {
            return Ok(Some(claimant.what));
        }
    }
    Ok(None)
}

/// The objects of a kind that stay and name a topic, in every namespace that the operator may see.
async fn fetch_all<K>(
    ctx: &Context,
    names_it: impl Fn(&K) -> Option<Option<String>>,
) -> Result<Vec<Claimant>, Error>
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
        .filter_map(|object| claimant(&resource.kind, object, &names_it))
        .collect())
}

fn claimant<K: DeserializeOwned>(
    kind: &str,
    object: DynamicObject,
    names_it: impl Fn(&K) -> Option<Option<String>>,
) -> Option<Claimant> {
    let namespace = object.namespace().unwrap_or_default();
    let what = format!("{kind} {namespace}/{}", object.name_any());
    let typed = serde_json::to_value(object).and_then(serde_json::from_value::<K>);
    let brokers = match &typed {
        Ok(object) => names_it(object)?,
        Err(_) => None,
    };
    Some(Claimant {
        what,
        namespace,
        brokers,
    })
}

/// Whether an object's brokers are those of a topic: by their addresses, else by the cluster that they belong to.
async fn is_same_kafka(ctx: &Context, topic: &EventTopic, claimant: &Claimant) -> bool {
    let own = bootstrap_servers(topic, &ctx.defaults);
    let default = ctx.defaults.bootstrap_servers.as_deref();
    let theirs = claimant.brokers.as_deref().or(default);
    let (Some(own), Some(theirs)) = (own, theirs) else {
        return true;
    };
    if own == theirs {
        return true;
    }
    let (own, theirs) = futures::join!(
        cluster_id(ctx, own, &topic.spec.topic_name),
        cluster_id(ctx, theirs, &topic.spec.topic_name)
    );
    own.is_none() || theirs.is_none() || own == theirs
}

async fn cluster_id(ctx: &Context, brokers: &str, topic: &str) -> Option<String> {
    let kafka = ctx.brokers.topics(brokers, &ctx.metrics).ok()?;
    kafka
        .describe(vec![topic.to_owned()])
        .await
        .ok()?
        .cluster_id
}

#[cfg(test)]
mod tests {
    use kube::runtime::{reflector, watcher};
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
        let older = older_claim(topic, all, &ClusterDefaults::default())?;
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
    fn a_topic_is_not_taken_by_its_own_former_self() {
        let mut former = described("rentcar", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092");
        Arc::make_mut(&mut former).metadata.uid = Some("former".to_owned());
        let topic = described("rentcar", "2026-01-02T00:00:00Z", "rentcar", "kafka:9092");
        assert_eq!(older(&topic, &[former]), None);
    }

    #[test]
    fn an_object_that_cannot_be_read_counts_as_naming_the_topic() {
        let readable = described("first", "2026-01-01T00:00:00Z", "rentcar", "kafka:9092");
        let mut object: DynamicObject =
            serde_json::from_value(serde_json::to_value(readable.as_ref()).unwrap()).unwrap();
        let named = |object: &DynamicObject| {
            claimant("EventTopic", object.clone(), |it: &EventTopic| {
                (it.spec.topic_name == "another").then_some(None)
            })
        };
        assert_eq!(named(&object), None);
        object.data["spec"]["partitions"] = json!("many");
        assert_eq!(named(&object).unwrap().what, "EventTopic default/first");
    }
}
