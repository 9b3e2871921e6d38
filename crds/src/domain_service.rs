//! One workload of a platform, fully resolved: neither its controller nor its pods ever read a sibling.

#![expect(clippy::duplicated_attributes, reason = "printer columns share a type")]

pub mod component;
pub mod place;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use component::{
    ColumnKind, ColumnSource, ResolvedBooking, ResolvedColumn, ResolvedFulfillment,
    ResolvedGateway, ResolvedPayment, ResolvedView, Route,
};
pub use place::{
    KafkaLog, ResolvedDatabase, ResolvedLog, ResolvedPostgres, ResolvedSqlite, SqliteLog,
};

use crate::duration::Duration;
use crate::platform::Aliases;
use crate::status::{Condition, never_observed};
use crate::workload::Workload;

/// One service of a platform, fully resolved.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
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
#[x_kube(validation = crate::rules::ONE_COMPONENT)]
#[x_kube(validation = crate::rules::A_RESOURCE_HAS_A_PATH)]
#[x_kube(validation = crate::rules::A_GATEWAY_HAS_NO_PATH)]
#[x_kube(validation = crate::rules::A_GATEWAY_KEEPS_NO_ROWS)]
#[x_kube(validation = crate::rules::REPLICAS_OR_AUTOSCALING)]
#[x_kube(validation = crate::rules::SQLITE_HAS_ONE_REPLICA)]
#[x_kube(validation = crate::rules::SQLITE_IS_NOT_SCALED)]
pub struct DomainServiceSpec {
    /// Name of the platform.
    #[schemars(length(min = 1, max = 63))]
    pub platform: String,
    /// The platform's life.
    #[serde(default = "first_incarnation")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: u32,
    /// Image of the pods.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// ISO 4217 code of all amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), regex(pattern = r"^[A-Z]{3}$"))]
    pub currency: Option<String>,
    /// Path of its resource; every service but a gateway has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 128),
        regex(pattern = r"^(/[A-Za-z0-9][A-Za-z0-9._~-]*)+$")
    )]
    pub path: Option<String>,
    /// Further paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Aliases>,
    /// The services that it calls; it is rolled out once they are ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub callees: Vec<Callee>,
    /// Makes it the platform's entrance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ResolvedGateway>,
    /// Makes it a service that takes bookings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<ResolvedBooking>,
    /// Makes it a service that takes money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<ResolvedPayment>,
    /// Makes it a service that delivers what was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<ResolvedFulfillment>,
    /// Makes it a service that shows each story in one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<ResolvedView>,
    /// Where it keeps its rows; a gateway has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<ResolvedDatabase>,
    /// Where events go and come from; a gateway has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<ResolvedLog>,
    /// How it runs on a cluster.
    #[serde(flatten)]
    pub workload: Workload,
}

const fn first_incarnation() -> u32 {
    1
}

/// A service that this one calls.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Callee {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Its address, such as `http://pay:8080`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// How long the caller waits.
    pub timeout: Duration,
}

/// What the operator found out about a service.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub component: Option<String>,
    /// How many pods are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How many pods are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<u32>,
}

impl Default for DomainServiceStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            conditions: Vec::new(),
            component: None,
            replicas: None,
            ready_replicas: None,
        }
    }
}
