//! Component blocks with everything in them that comes from elsewhere in the platform.

use innkeeper_contracts::words::Field;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::component::{Booking, Fulfillment, Payment, PaymentTime, ServiceType};
use crate::duration::Duration;

/// A gateway with its routes.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedGateway {
    /// How the gateway's Service is reached.
    #[serde(default)]
    pub service_type: ServiceType,
    /// Where requests go.
    #[serde(default)]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub routes: Vec<Route>,
}

/// One service behind a gateway.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Its path and aliases.
    #[schemars(length(min = 1, max = 4), inner(length(max = 128)))]
    pub paths: Vec<String>,
    /// Its address, such as `http://pay:8080`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// How long the gateway waits. 10s when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// A booking service; its payment's address is among `callees`.
pub type ResolvedBooking = Booking;

/// A payment service with the bookings that it serves.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedPayment {
    /// The block of the platform.
    #[serde(flatten)]
    pub block: Payment,
    /// The booking services that it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub bookings: Vec<String>,
    /// When those bookings are paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<PaymentTime>,
}

/// A fulfillment service with the services whose events it follows.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedFulfillment {
    /// The block of the platform.
    #[serde(flatten)]
    pub block: Fulfillment,
    /// The payment services whose captures begin it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub payments: Vec<String>,
    /// The booking services whose ends cancel it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 40)))]
    pub bookings: Vec<String>,
}

/// A view with its columns in canonical words.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedView {
    /// What a row shows, in order.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<ResolvedColumn>,
}

/// One column of a view.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedColumn {
    /// Its name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Where its value comes from: one source, or several of which the latest counts.
    #[schemars(length(min = 1, max = 8))]
    pub sources: Vec<ColumnSource>,
}

/// One field of one service.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnSource {
    /// Name of the service.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// What kind of field it is.
    pub kind: ColumnKind,
    /// The canonical field, when the kind is Field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "canonical_field")]
    pub field: Option<Field>,
    /// The booking's name of the attribute, when the kind is Attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub attribute: Option<String>,
}

/// What kind of field a column shows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ColumnKind {
    /// The public id of the service's row.
    Id,
    /// A canonical field; `status` is the label.
    Field,
    /// An attribute.
    Attribute,
}

fn canonical_field(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names: Vec<_> = Field::ALL.into_iter().map(Field::name).collect();
    schemars::json_schema!({ "type": "string", "enum": names })
}
