//! Settings of a gateway.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;

/// Settings of a gateway.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Where requests go.
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub routes: Vec<Route>,
}

/// One service behind a gateway.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Name of the service, for problems and metrics.
    #[schemars(length(min = 1, max = 40))]
    pub service: String,
    /// Its path and aliases.
    #[schemars(length(min = 1, max = 4), inner(length(max = 128)))]
    pub paths: Vec<String>,
    /// Its address, such as `http://pay:8080`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// Milliseconds until the gateway gives up. 10,000 when left out.
    #[serde(
        default = "number::default::<u64, DEFAULT_ROUTE_TIMEOUT_MS>",
        skip_serializing_if = "number::is_default::<u64, DEFAULT_ROUTE_TIMEOUT_MS>"
    )]
    #[schemars(range(min = 1, max = MAX_ROUTE_TIMEOUT_MS))]
    pub timeout_ms: u64,
}

/// Milliseconds that a gateway waits for a service unless told otherwise.
pub const DEFAULT_ROUTE_TIMEOUT_MS: u16 = 10_000;

/// The longest that a gateway can wait for a service, in milliseconds: an hour.
pub const MAX_ROUTE_TIMEOUT_MS: u64 = 3_600_000;
