//! A whole platform in one object.

use innkeeper_contracts::schema;
use innkeeper_contracts::settings::Aliases;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::component::{Booking, Fulfillment, Gateway, Payment, View};
use crate::database::{Database, Postgres};
use crate::duration::Duration;
use crate::event_topic::{DeletionPolicy, TopicConfig};
use crate::kafka::KafkaSecurity;
use crate::status::{Condition, never_observed};
use crate::workload::Workload;

/// A whole booking platform: its services and what they share.
#[skip_serializing_none]
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "innkeeper.dev",
    version = "v1alpha1",
    kind = "BookingPlatform",
    namespaced,
    shortname = "bp",
    category = "innkeeper",
    status = "BookingPlatformStatus",
    derive = "PartialEq",
    validation = crate::rules::A_PLATFORM_HAS_A_SHORT_NAME,
    validation = crate::rules::A_PLATFORM_KEEPS_ITS_TOPIC,
    validation = crate::rules::A_PLATFORMS_TOPIC_DOES_NOT_SHRINK,
    validation = crate::rules::A_PLATFORMS_TOPIC_DOES_NOT_GROW,
    doc = "A whole booking platform: its services and what they share. It becomes an EventTopic and DomainServices.",
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
        name = "Services",
        type_ = "integer",
        json_path = ".status.services",
        description = "Services of the platform."
    ),
    printcolumn(
        name = "Ready services",
        type_ = "integer",
        json_path = ".status.readyServices",
        description = "Services that are ready."
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::SHARED_SQLITE_IS_NOT_SCALED)]
#[x_kube(validation = crate::rules::PATHS_ARE_UNIQUE)]
#[x_kube(validation = crate::rules::ALIASES_ARE_UNIQUE)]
#[x_kube(validation = crate::rules::DEV_PORTS_ARE_UNIQUE)]
#[x_kube(validation = crate::rules::CALLS_LEAD_SOMEWHERE)]
#[x_kube(validation = crate::rules::BOOKINGS_ARE_PAID)]
#[x_kube(validation = crate::rules::PAYMENTS_ARE_USED)]
#[x_kube(validation = crate::rules::FULFILLMENTS_CAN_START)]
pub struct BookingPlatformSpec {
    /// ISO 4217 code of all amounts, which are integers in its minor unit.
    #[schemars(length(max = 3), regex(pattern = r"^[A-Z]{3}$"))]
    pub currency: Option<String>,
    /// The platform's incarnation. A platform that is deleted and applied again goes on where it
    /// was; a new number starts afresh.
    #[serde(default = "first_incarnation")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: u32,
    /// Image of the services. When left out, the release that first saw the platform is kept.
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Where events go; what is left out comes from the installation.
    pub messaging: Option<Messaging>,
    /// Where services keep their rows unless they say otherwise; when left out, it comes from the
    /// installation.
    pub database: Option<Database>,
    /// The services of the platform: 1 to 64, each with a name of its own.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub services: Vec<Service>,
}

const fn first_incarnation() -> u32 {
    1
}

/// The Kafka brokers and the topic to which the platform's events go.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Messaging {
    /// `host:port` of one or more Kafka brokers, with commas between them.
    #[schemars(length(min = 1, max = 1024))]
    pub bootstrap_servers: Option<String>,
    /// How the services reach these brokers.
    #[serde(flatten)]
    pub security: KafkaSecurity,
    /// The topic that all services of the platform share; each of its fields has a default.
    pub topic: Option<PlatformTopic>,
}

/// The topic of a platform; all its services share it.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformTopic {
    /// Its name in Kafka; `NAMESPACE.PLATFORM` when left out, unless the platform has a topic
    /// already. It cannot change.
    #[schemars(
        length(min = 1, max = 249),
        regex(pattern = r"^[._-]*[a-zA-Z0-9][a-zA-Z0-9._-]*$")
    )]
    pub name: Option<String>,
    /// Number of partitions. 12 when left out. It cannot change, since keys would move.
    #[schemars(range(min = 1, max = 1000))]
    pub partitions: Option<u32>,
    /// Number of replicas of each partition; the brokers' default when left out.
    #[schemars(range(min = 1, max = 16))]
    pub replication: Option<u32>,
    /// Settings of the topic by Kafka's own names.
    pub config: Option<TopicConfig>,
    /// What happens to the topic when the platform is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// One service of a platform: its path, exactly one component block, and how it runs.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::ONE_COMPONENT)]
#[x_kube(validation = crate::rules::A_RESOURCE_HAS_A_PATH)]
#[x_kube(validation = crate::rules::A_GATEWAY_HAS_NO_PATH)]
#[x_kube(validation = crate::rules::A_GATEWAY_KEEPS_NO_ROWS)]
#[x_kube(validation = crate::rules::REPLICAS_OR_AUTOSCALING)]
#[x_kube(validation = crate::rules::SQLITE_HAS_ONE_REPLICA)]
#[x_kube(validation = crate::rules::SQLITE_IS_NOT_SCALED)]
pub struct Service {
    /// Its name, which is also its address within the namespace.
    #[schemars(
        length(min = 1, max = 40),
        regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,
    /// Path of its resource, such as `/reservations`. Every service but a gateway has one.
    #[serde(default)]
    #[schemars(schema_with = "schema::path")]
    pub path: Option<String>,
    /// Further paths, for clients that know others.
    pub aliases: Option<Aliases>,
    /// The services that it calls while a client waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub calls: Vec<Call>,
    /// Makes it the platform's entrance.
    pub gateway: Option<Gateway>,
    /// Makes it a service that takes bookings.
    pub booking: Option<Booking>,
    /// Makes it a service that takes money.
    pub payment: Option<Payment>,
    /// Makes it a service that delivers what was paid.
    pub fulfillment: Option<Fulfillment>,
    /// Makes it a service that shows each saga in one row.
    pub view: Option<View>,
    /// Where it keeps its rows; the platform's database when left out.
    pub database: Option<Database>,
    /// How it runs in `innkeeper dev`.
    pub dev: Option<Dev>,
    /// How it runs on a cluster.
    #[serde(flatten)]
    pub workload: Workload,
}

/// A service that another one calls.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Name of the service that is called.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// How long the caller waits. 1s when left out.
    pub timeout: Option<Duration>,
}

/// How a service runs in `innkeeper dev`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dev {
    /// Its port on this machine; one is chosen when left out.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<u16>,
}

/// What the operator found out about a platform.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingPlatformStatus {
    /// The generation that this status speaks of; -1 before anyone looked.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling and Stalled, as kstatus reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The image that the services run: the spec's, or the release that first saw the platform.
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// The platform's topic in Kafka.
    #[schemars(length(max = 249))]
    pub topic: Option<String>,
    /// The installation's defaults that the services have: those of now, or those before while the
    /// platform waits for its turn.
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub defaults: Option<InstallationDefaults>,
    /// Stands here from when the platform takes new defaults until it is ready with them.
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub defaults_rollout: Option<DefaultsRollout>,
    /// How many services the platform has.
    pub services: Option<u32>,
    /// How many of them are ready.
    pub ready_services: Option<u32>,
}

/// Defaults of the installation, for platforms that do not say otherwise.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstallationDefaults {
    /// `host:port` of the Kafka brokers, with commas between them.
    #[schemars(length(max = 1024))]
    pub bootstrap_servers: Option<String>,
    /// How the services reach these brokers; without TLS and a password when left out.
    pub kafka: Option<KafkaSecurity>,
    /// The PostgreSQL database of services that name none, if the installation has one.
    pub database: Option<Postgres>,
}

/// A platform takes new defaults of the installation.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultsRollout {
    /// When it took them.
    #[schemars(schema_with = "crate::schema::instant")]
    pub started_at: Time,
    /// Whether it was ready before. If not, others wait for it for two minutes only.
    pub was_ready: bool,
}

impl Default for BookingPlatformStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            conditions: Vec::new(),
            image: None,
            topic: None,
            defaults: None,
            defaults_rollout: None,
            services: None,
            ready_services: None,
        }
    }
}

impl BookingPlatform {
    /// A platform as a file describes it, which is not on a cluster yet.
    pub fn named(name: &str, namespace: &str, spec: BookingPlatformSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        };
        Self {
            metadata,
            spec,
            status: None,
        }
    }
}
