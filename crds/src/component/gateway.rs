//! The entrance of a platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Routes requests to the platform's services, by their paths and aliases.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// How the gateway's Service is reached.
    #[serde(default)]
    pub service_type: ServiceType,
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
