//! Expands a validated platform to its topic and its resolved services. Nothing can fail any more.

mod order;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use innkeeper_crds::{DomainService, EventTopic, EventTopicSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::executor::Executor;
use crate::facts::Facts;
use crate::names;
use crate::rendered::Rendered;
use crate::validate::ValidatedPlatform;

/// Everything that a platform consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Expansion {
    /// The topic of the platform.
    pub topic: EventTopic,
    /// The services, callees before their callers.
    pub services: Vec<DomainService>,
}

impl Expansion {
    /// The children of the platform in waves. A new child is created when everything in the earlier
    /// waves is ready.
    pub fn waves(&self) -> Vec<Vec<Rendered>> {
        let services = self.services.iter().map(Rendered::of);
        vec![vec![Rendered::of(&self.topic)], services.collect()]
    }
}

/// The topic and the services of a platform, fully resolved for its executor.
pub fn expand(platform: &ValidatedPlatform, executor: &Executor, facts: &Facts) -> Expansion {
    let addresses = addresses(platform, executor);
    let topic = topic_name(platform, executor, facts);
    let ctx = service::ExpandContext {
        platform,
        executor,
        addresses: &addresses,
        topic: &topic,
    };
    let services = platform.services.iter();
    Expansion {
        services: services
            .map(|service| {
                let mut service = service::domain_service(&ctx, service);
                if let Some(observed) = service
                    .metadata
                    .name
                    .as_ref()
                    .and_then(|it| facts.orders.get(it))
                {
                    order::keep(&mut service.spec, observed);
                }
                service
            })
            .collect(),
        topic: event_topic(platform, topic),
    }
}

/// Name of the platform's topic in Kafka: the name that the platform gives, else that of the topic
/// it has already, else the default.
fn topic_name(platform: &ValidatedPlatform, executor: &Executor, facts: &Facts) -> String {
    let known = platform.topic.name.clone().or_else(|| facts.topic.clone());
    known.unwrap_or_else(|| match executor {
        Executor::Cluster(_) => names::default_topic(&platform.namespace, &platform.name),
        Executor::Local(_) => names::local_topic(&platform.name),
    })
}

/// The port of every service on this machine: its own, else the next free one from 8080.
pub fn dev_ports(platform: &ValidatedPlatform) -> BTreeMap<String, u16> {
    let given: BTreeSet<u16> = platform
        .services
        .iter()
        .filter_map(|service| service.dev_port)
        .collect();
    let mut free =
        (innkeeper_contracts::pod::BUSINESS_PORT..=u16::MAX).filter(|port| !given.contains(port));
    platform
        .services
        .iter()
        .filter_map(|service| {
            let port = service.dev_port.or_else(|| free.next())?;
            Some((service.name.clone(), port))
        })
        .collect()
}

fn addresses(platform: &ValidatedPlatform, executor: &Executor) -> BTreeMap<String, String> {
    let on_cluster = |name: &String| (name.clone(), names::address(name));
    match executor {
        Executor::Cluster(_) => platform
            .services
            .iter()
            .map(|service| on_cluster(&service.name))
            .collect(),
        Executor::Local(local) => {
            let mut ports = dev_ports(platform);
            ports.extend(local.ports.clone());
            ports
                .into_iter()
                .map(|(name, port)| (name, names::local_address(port)))
                .collect()
        }
    }
}

fn event_topic(platform: &ValidatedPlatform, topic_name: String) -> EventTopic {
    EventTopic {
        metadata: metadata(platform, names::event_topic(&platform.name), None),
        spec: EventTopicSpec {
            topic_name,
            platform: Some(platform.name.clone()),
            partitions: platform.topic.partitions,
            replication: platform.topic.replication,
            config: platform.topic.config.clone(),
            deletion_policy: platform.topic.deletion_policy,
            bootstrap_servers: platform.log.bootstrap_servers().map(str::to_owned),
        },
        status: None,
    }
}

fn metadata(
    platform: &ValidatedPlatform,
    name: String,
    labels: Option<BTreeMap<String, String>>,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(platform.namespace.clone()),
        labels: Some(labels.unwrap_or_else(|| names::platform_labels(&platform.name))),
        ..ObjectMeta::default()
    }
}
