//! The resolved settings of one service: all that its process needs to know, so that it never reads a sibling.

mod backing;

use serde::{Deserialize, Serialize};

pub use backing::{Database, Kafka, Log, Postgres, SqliteFile, SqliteLog};

use crate::words::{Field, Words};

/// The settings file of one service. Default values are left out of it, so that a new default restarts nothing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSettings {
    /// Namespace of the platform.
    pub namespace: String,
    /// Name of the platform.
    pub platform: String,
    /// Number of the platform's life; a new number starts afresh.
    #[serde(
        default = "first_incarnation",
        skip_serializing_if = "is_first_incarnation"
    )]
    pub incarnation: u32,
    /// Name of the service.
    pub service: String,
    /// Path of the service's resource, such as `/reservations`; empty for a gateway.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Further paths.
    #[serde(default, skip_serializing_if = "Aliases::is_empty")]
    pub aliases: Aliases,
    /// What the service is.
    pub component: Component,
    /// Where rows are kept; absent for a gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// Where events go and come from; absent for a gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// Seconds that a service may take to finish what it has begun after SIGTERM.
    #[serde(
        default = "default_drain_seconds",
        skip_serializing_if = "is_default_drain_seconds"
    )]
    pub drain_seconds: u32,
    /// Values of the user's own configuration, by name; `/settings` shows the names and the hash of all.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub config: std::collections::BTreeMap<String, String>,
}

const fn first_incarnation() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_first_incarnation(incarnation: &u32) -> bool {
    *incarnation == first_incarnation()
}

const fn default_drain_seconds() -> u32 {
    20
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_default_drain_seconds(seconds: &u32) -> bool {
    *seconds == default_drain_seconds()
}

/// Further paths of a service.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Aliases {
    /// Also takes POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<String>,
    /// Also lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Takes PATCH with the id in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// What a service is, with the words it uses.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Component {
    /// Routes requests to the platform's services.
    Gateway(Gateway),
    /// Takes bookings.
    Booking(Booking),
    /// Takes money.
    Payment(Payment),
    /// Delivers what was paid.
    Fulfillment(Fulfillment),
    /// Shows a story in one row.
    View(View),
}

impl Component {
    /// The component's name, as in `innkeeper serve NAME`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gateway(_) => "gateway",
            Self::Booking(_) => "booking",
            Self::Payment(_) => "payment",
            Self::Fulfillment(_) => "fulfillment",
            Self::View(_) => "view",
        }
    }
}

/// Settings of a gateway.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Where requests go.
    pub routes: Vec<Route>,
}

/// One service behind a gateway.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Name of the service, for problems and metrics.
    pub service: String,
    /// Its path and aliases.
    pub paths: Vec<String>,
    /// Its address, such as `http://pay:8080`.
    pub address: String,
    /// Milliseconds until the gateway gives up.
    #[serde(
        default = "default_route_timeout_ms",
        skip_serializing_if = "is_default_route_timeout_ms"
    )]
    pub timeout_ms: u64,
}

/// Milliseconds that a gateway waits for a service unless told otherwise.
pub const DEFAULT_ROUTE_TIMEOUT_MS: u64 = 10_000;

const fn default_route_timeout_ms() -> u64 {
    DEFAULT_ROUTE_TIMEOUT_MS
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_default_route_timeout_ms(timeout_ms: &u64) -> bool {
    *timeout_ms == DEFAULT_ROUTE_TIMEOUT_MS
}

/// Settings of a booking service.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Booking {
    /// The platform's words.
    #[serde(default)]
    pub words: Words,
    /// Fields that a request must have, in the platform's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// ISO 4217 code of amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Who takes the money, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentCall>,
    /// Seconds after which a pending booking is settled by the service itself.
    #[serde(
        default = "default_pending_timeout_seconds",
        skip_serializing_if = "is_default_pending_timeout_seconds"
    )]
    pub pending_timeout_seconds: u32,
}

const fn default_pending_timeout_seconds() -> u32 {
    60
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_default_pending_timeout_seconds(seconds: &u32) -> bool {
    *seconds == default_pending_timeout_seconds()
}

/// How a booking service reaches its payment service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentCall {
    /// Name of the service.
    pub service: String,
    /// Its address, such as `http://pay:8080`.
    pub address: String,
    /// When it is asked.
    pub when: PaymentTime,
    /// Milliseconds until a call is given up.
    pub timeout_ms: u64,
}

/// When a booking is paid.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum PaymentTime {
    /// Authorized by a call before the booking is confirmed.
    OnPlacement,
    /// Requested by the event of the confirmed booking.
    Later,
}

/// Settings of a payment service.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Payment {
    /// The platform's words.
    #[serde(default)]
    pub words: Words,
    /// The booking services whose stories it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookings: Vec<String>,
    /// Whether money is taken at once or when the client says so.
    #[serde(default)]
    pub capture: Capture,
    /// When the bookings that it serves are paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<PaymentTime>,
    /// Who moves the money.
    #[serde(default)]
    pub provider: Provider,
}

/// When an authorized payment is captured.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Capture {
    /// When the booking is confirmed.
    #[default]
    Automatic,
    /// When the client says so.
    Manual,
}

/// Who moves the money.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Provider {
    /// The built-in deterministic provider, which moves none.
    Test {
        /// Declines larger amounts, in the currency's minor unit.
        #[serde(
            rename = "declineAbove",
            default,
            skip_serializing_if = "Option::is_none"
        )]
        decline_above: Option<i64>,
    },
}

impl Default for Provider {
    fn default() -> Self {
        Self::Test {
            decline_above: None,
        }
    }
}

/// Settings of a fulfillment service.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fulfillment {
    /// The platform's words.
    #[serde(default)]
    pub words: Words,
    /// The payment services whose captures start it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<String>,
    /// The booking services whose ends cancel it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookings: Vec<String>,
    /// The state in which it begins.
    #[serde(default)]
    pub start_as: StartAs,
}

/// The state in which a fulfillment begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum StartAs {
    /// Waits to be started.
    #[default]
    Scheduled,
    /// Is under way at once.
    InProgress,
}

/// Settings of a view.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct View {
    /// What a row shows, in order.
    pub columns: Vec<Column>,
}

/// One column of a view.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Where its value comes from: one source, or several of which the latest counts.
    pub sources: Vec<ColumnSource>,
}

/// One field of one service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnSource {
    /// Name of the service.
    pub service: String,
    /// Which of its fields.
    pub value: ColumnValue,
}

/// Which field of a service a column shows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ColumnValue {
    /// The public id of its row.
    Id,
    /// A canonical field; `status` is the label.
    Field(Field),
    /// An attribute, by its name in the snapshot.
    Attribute(String),
}
