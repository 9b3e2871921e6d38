//! The entrance of a platform.

use innkeeper_contracts::schema;
use innkeeper_contracts::settings::{self, CREDENTIALS_NEED_NAMES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::duration::Duration;

/// Routes requests to the platform's services, by their paths and aliases.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// How the gateway's Service is reached.
    #[serde(default)]
    pub service_type: ServiceType,
    /// Which scripts of other sites may call; none when left out.
    pub cors: Option<Cors>,
}

/// Which scripts of other sites may call. In each list `*` is everything.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(&[CREDENTIALS_NEED_NAMES])))]
pub struct Cors {
    /// The sites, such as `https://rentcar.example`.
    #[schemars(schema_with = "schema::origins")]
    pub allow_origins: Vec<String>,
    /// The methods of their requests. GET, HEAD, POST and PATCH when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::methods")]
    pub allow_methods: Option<Vec<String>>,
    /// The headers of their requests. Content-Type, Idempotency-Key, If-Match and If-None-Match
    /// when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::header_names")]
    pub allow_headers: Option<Vec<String>>,
    /// The headers of answers that they may read. Location, `ETag` and Retry-After when left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::header_names")]
    pub expose_headers: Option<Vec<String>>,
    /// Whether their requests may carry cookies and the like.
    #[serde(default)]
    pub allow_credentials: bool,
    /// How long a browser may remember what it was told; it decides by itself when left out.
    pub max_age: Option<Duration>,
}

impl Cors {
    /// The settings of the gateway's process.
    pub fn settings(&self) -> settings::Cors {
        let Self {
            allow_origins,
            allow_methods,
            allow_headers,
            expose_headers,
            allow_credentials,
            max_age,
        } = self;
        settings::Cors {
            allow_origins: allow_origins.clone(),
            allow_methods: given_or(allow_methods.as_ref(), &["GET", "HEAD", "POST", "PATCH"]),
            allow_headers: given_or(
                allow_headers.as_ref(),
                &[
                    "Content-Type",
                    "Idempotency-Key",
                    "If-Match",
                    "If-None-Match",
                ],
            ),
            expose_headers: given_or(
                expose_headers.as_ref(),
                &["Location", "ETag", "Retry-After"],
            ),
            allow_credentials: *allow_credentials,
            max_age_seconds: max_age.map(Duration::as_seconds),
        }
    }
}

fn given_or(given: Option<&Vec<String>>, otherwise: &[&str]) -> Vec<String> {
    let otherwise = || otherwise.iter().map(ToString::to_string).collect();
    given.cloned().unwrap_or_else(otherwise)
}

/// How a Service is reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ServiceType {
    /// From within the cluster.
    #[default]
    ClusterIP,
    /// On a port of every node.
    NodePort,
    /// Through a load balancer of the cloud.
    LoadBalancer,
}
