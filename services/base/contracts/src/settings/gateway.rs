//! Settings of a gateway.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::number;
use crate::schema::{self, Rule};

/// Settings of a gateway.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// The services to which the gateway passes requests, by their paths.
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["service"]))]
    pub routes: Vec<Route>,
    /// Which scripts of other sites may call; none when left out.
    pub cors: Option<Cors>,
}

/// Which scripts of other sites may call (<https://fetch.spec.whatwg.org/#http-cors-protocol>). In
/// each list `*` is everything.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[RESOLVED_CREDENTIALS_NEED_NAMES])))]
pub struct Cors {
    /// The sites, such as `https://rentcar.example`.
    #[schemars(schema_with = "schema::origins")]
    pub allow_origins: Vec<String>,
    /// The methods of their requests.
    #[schemars(schema_with = "schema::methods")]
    pub allow_methods: Vec<String>,
    /// The headers of their requests.
    #[schemars(schema_with = "schema::header_names")]
    pub allow_headers: Vec<String>,
    /// The headers of answers that they may read.
    #[schemars(schema_with = "schema::header_names")]
    pub expose_headers: Vec<String>,
    /// Whether their requests may carry cookies and the like.
    #[serde(default)]
    pub allow_credentials: bool,
    /// Seconds for which a browser may remember what it was told; it decides by itself when left
    /// out.
    pub max_age_seconds: Option<u32>,
}

/// Browsers refuse an answer that allows credentials to everybody.
pub const CREDENTIALS_NEED_NAMES: Rule = (
    "!has(self.allowCredentials) || !self.allowCredentials || !('*' in self.allowOrigins || (has(self.allowMethods) && '*' in self.allowMethods) || (has(self.allowHeaders) && '*' in self.allowHeaders) || (has(self.exposeHeaders) && '*' in self.exposeHeaders))",
    "with allowCredentials no list may have *, since browsers refuse that: name origins, methods and headers, or leave allowCredentials out",
);

/// The same for lists that are all there.
const RESOLVED_CREDENTIALS_NEED_NAMES: Rule = (
    "!has(self.allowCredentials) || !self.allowCredentials || ![self.allowOrigins, self.allowMethods, self.allowHeaders, self.exposeHeaders].exists(l, '*' in l)",
    CREDENTIALS_NEED_NAMES.1,
);

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
