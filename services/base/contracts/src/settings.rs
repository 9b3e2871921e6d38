//! The resolved settings of one service: all that its process needs to know, so that it never reads
//! a sibling. A DomainService holds them as they are, and so does the settings file of its pods.

mod backing;
mod booking;
mod component;
mod fulfillment;
mod gateway;
mod number;
mod payment;
mod tls;
mod view;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema;

pub use backing::{
    DEFAULT_POSTGRES_PORT, Database, Kafka, KafkaCluster, Log, Postgres, Sasl, SaslMechanism,
    SqliteFile, SqliteLog,
};
pub use booking::{Booking, DEFAULT_PENDING_TIMEOUT_SECONDS, PaymentCall, PaymentTime};
pub use component::Component;
pub use fulfillment::{Fulfillment, StartAs};
pub use gateway::{
    CREDENTIALS_NEED_NAMES, Cors, DEFAULT_ROUTE_TIMEOUT_MS, Gateway, MAX_ROUTE_TIMEOUT_MS, Route,
};
pub use payment::{BookingAddress, Capture, Payment, Provider};
pub use tls::{Tls, TlsMode};
pub use view::{Column, ColumnSource, ColumnValue, View};

/// The settings of one service. Default values are left out, so that a new default restarts
/// nothing.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSettings {
    /// Namespace of the platform.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Name of the platform.
    #[schemars(length(min = 1, max = 63))]
    pub platform: String,
    /// Number of the platform's incarnation; a new number starts afresh. 1 when left out.
    #[serde(
        default = "number::default::<u32, FIRST_INCARNATION>",
        skip_serializing_if = "number::is_default::<u32, FIRST_INCARNATION>"
    )]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: u32,
    /// Name of the service.
    #[schemars(length(min = 1, max = 63))]
    pub service: String,
    /// Path of the service's resource, such as `/reservations`; empty for a gateway.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "schema::path")]
    pub path: String,
    /// Further paths of the resource, each for one method.
    #[serde(default, skip_serializing_if = "Aliases::is_empty")]
    pub aliases: Aliases,
    /// What the service is: exactly one component.
    pub component: Component,
    /// Where rows are kept; absent for a gateway.
    pub database: Option<Database>,
    /// Where events go and come from; absent for a gateway.
    pub log: Option<Log>,
    /// Seconds that a service may take after SIGTERM to finish what it has begun. 20 when left out.
    #[serde(
        default = "number::default::<u32, DEFAULT_DRAIN_SECONDS>",
        skip_serializing_if = "number::is_default::<u32, DEFAULT_DRAIN_SECONDS>"
    )]
    #[schemars(range(min = 0, max = 3_600))]
    pub drain_seconds: u32,
    /// Environment variables of the user's own, by name; `/settings` shows the names and a hash of
    /// all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::environment")]
    pub config: BTreeMap<String, String>,
}

/// The first incarnation of a platform.
const FIRST_INCARNATION: u16 = 1;

/// Seconds that a service may take to finish what it has begun, unless told otherwise.
pub const DEFAULT_DRAIN_SECONDS: u16 = 20;

/// Further paths of a service, for clients that know others.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Aliases {
    /// Path that takes POST, as the resource's own path does.
    #[serde(default)]
    #[schemars(schema_with = "schema::alias")]
    pub create: Option<String>,
    /// Path whose GET lists the resource's items, as its own path does.
    #[serde(default)]
    #[schemars(schema_with = "schema::alias")]
    pub list: Option<String>,
    /// Path that takes PATCH, with the id in the body.
    #[serde(default)]
    #[schemars(schema_with = "schema::alias")]
    pub update: Option<String>,
}

impl Aliases {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.create.is_none() && self.list.is_none() && self.update.is_none()
    }

    /// Every alias there is.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.create, &self.list, &self.update]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}
