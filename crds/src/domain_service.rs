//! One service of a platform, fully resolved: neither its controller nor its pods read a sibling.

#![expect(clippy::duplicated_attributes, reason = "printer columns share a type")]

use innkeeper_contracts::ServiceSettings;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::component::ServiceType;
use crate::status::{Condition, never_observed};
use crate::tls::TlsSecrets;
use crate::workload::Workload;

/// One service of a platform, fully resolved.
#[skip_serializing_none]
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "innkeeper.dev",
    version = "v1alpha1",
    kind = "DomainService",
    namespaced,
    shortname = "dsvc",
    category = "innkeeper",
    status = "DomainServiceStatus",
    derive = "PartialEq",
    doc = "One service of a platform, fully resolved. It becomes a Deployment, a Service and what belongs to them.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Component",
        type_ = "string",
        json_path = ".status.component",
        description = "What the service is."
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "Pods that are wanted."
    ),
    printcolumn(
        name = "Ready replicas",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Pods that are ready."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::A_RESOLVED_RESOURCE_HAS_A_PATH)]
#[x_kube(validation = crate::rules::A_RESOLVED_GATEWAY_HAS_NO_PATH)]
#[x_kube(validation = crate::rules::A_RESOLVED_GATEWAY_KEEPS_NO_ROWS)]
#[x_kube(validation = crate::rules::A_POSTGRES_DATABASE_HAS_A_SECRET)]
#[x_kube(validation = crate::rules::REPLICAS_OR_AUTOSCALING)]
#[x_kube(validation = crate::rules::RESOLVED_SQLITE_HAS_ONE_REPLICA)]
#[x_kube(validation = crate::rules::RESOLVED_SQLITE_IS_NOT_SCALED)]
pub struct DomainServiceSpec {
    /// Image of the pods.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// What its process reads, as the settings file of its pods has it.
    pub settings: ServiceSettings,
    /// Services that must be ready before it is rolled out for the first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 40)), extend("x-kubernetes-list-type" = "set"))]
    pub waits_for: Vec<String>,
    /// Name of the Secret with the keys `username` and `password` of its PostgreSQL database.
    #[schemars(length(min = 1, max = 253))]
    pub database_secret: Option<String>,
    /// Where the certificates for TLS with its PostgreSQL database are.
    pub database_tls: Option<TlsSecrets>,
    /// Name of the Secret with the keys `username` and `password` for Kafka.
    #[schemars(length(min = 1, max = 253))]
    pub kafka_secret: Option<String>,
    /// Where the certificates for TLS with Kafka are.
    pub kafka_tls: Option<TlsSecrets>,
    /// How its Service is reached.
    #[serde(default)]
    pub service_type: ServiceType,
    /// How it runs on a cluster.
    #[serde(flatten)]
    pub workload: Workload,
}

/// What the operator found out about a service.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DomainServiceStatus {
    /// The generation that this status speaks of; -1 before anyone looked.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling and Stalled, as kstatus reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What the service is.
    #[schemars(length(max = 63))]
    pub component: Option<String>,
    /// How many pods are wanted.
    pub replicas: Option<u32>,
    /// How many pods are ready.
    pub ready_replicas: Option<u32>,
    /// Whether the connections to its database are encrypted; where the server decides, as a pod
    /// said when the service had become ready.
    pub database_tls: Option<bool>,
    /// Whether the connections to Kafka are encrypted.
    pub kafka_tls: Option<bool>,
}

impl Default for DomainServiceStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            conditions: Vec::new(),
            component: None,
            replicas: None,
            ready_replicas: None,
            database_tls: None,
            kafka_tls: None,
        }
    }
}
