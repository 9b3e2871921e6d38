//! The context of every reconciliation.

use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_plan::ClusterDefaults;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::events::Recorder;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
#[cfg(test)]
use serde_json::json;

use crate::kafka::Brokers;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::rollouts::Rollouts;

/// The namespaces whose platforms an operator reconciles.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those of every namespace.
    Cluster,
    /// Those of the namespace with this name.
    Namespace(String),
}

impl Scope {
    /// The API of a kind within this scope.
    pub fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
    {
        match self {
            Self::Cluster => Api::all(client.clone()),
            Self::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }

    /// The API of a resource within this scope.
    pub(crate) fn api_of(&self, client: &Client, resource: &ApiResource) -> Api<DynamicObject> {
        match self {
            Self::Cluster => Api::all_with(client.clone(), resource),
            Self::Namespace(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        }
    }
}

/// The clients, caches and settings that every reconciliation gets.
pub struct Context {
    pub(crate) client: Client,
    pub(crate) recorder: Recorder,
    pub(crate) metrics: Metrics,
    pub(crate) brokers: Brokers,
    pub(crate) ledger: Ledger,
    pub(crate) defaults: ClusterDefaults,
    pub(crate) rollouts: Arc<Rollouts>,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) topic_resync: Duration,
    /// The namespaces whose platforms the operator reconciles.
    pub(crate) scope: Scope,
    /// The namespace in which the operator itself runs, if it is known.
    pub(crate) own_namespace: Option<String>,
}

impl Context {
    /// Whether an object is in the operator's own namespace.
    pub(crate) fn is_own_namespace(&self, object: &impl kube::ResourceExt) -> bool {
        self.own_namespace.is_some() && self.own_namespace == object.namespace()
    }

    /// The API of a kind in the namespace of an object.
    pub(crate) fn api_beside<K>(&self, object: &impl kube::ResourceExt) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
    }
}

#[cfg(test)]
impl Context {
    /// A context for tests, of a cluster with a database and Kafka.
    pub(crate) fn of(client: Client) -> Self {
        let database = json!({
            "host": "postgres.data",
            "port": 5432,
            "database": "innkeeper",
            "secretRef": { "name": "innkeeper-database" },
        });
        Self {
            recorder: Recorder::new(client.clone(), "innkeeper".into()),
            client,
            metrics: Metrics::registered().expect("the names of metrics are sound"),
            brokers: Brokers::of(Vec::new()),
            ledger: Ledger::default(),
            defaults: ClusterDefaults {
                bootstrap_servers: Some("kafka.messaging:9092".to_owned()),
                kafka: KafkaSecurity::default(),
                database: serde_json::from_value(database).ok(),
                image: "innkeeper:1".to_owned(),
            },
            rollouts: Arc::new(Rollouts::of(1)),
            now: || Timestamp::UNIX_EPOCH,
            topic_resync: Duration::from_mins(2),
            scope: Scope::Cluster,
            own_namespace: None,
        }
    }
}
