//! Everything that a component is given when it starts. It uses no process globals.

use std::sync::Arc;

use innkeeper_contracts::ServiceSettings;
use innkeeper_kit::store::Store;
use innkeeper_kit::{Clock, CrashPlan};
use uuid::Uuid;

use crate::client::Client;
use crate::lifecycle::Lifecycle;

/// Everything that a component is given when it starts.
#[derive(Clone)]
pub struct Context {
    /// The settings of the service.
    pub settings: Arc<ServiceSettings>,
    /// The database of the service.
    pub store: Arc<dyn Store>,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The client for calls to other services.
    pub client: Client,
    /// At which crash point the process dies, in tests.
    pub crash: CrashPlan,
    /// Id of the process, which owns claims and leases.
    pub process: Uuid,
    /// Runs what outlives a request, and ends with the service.
    pub tasks: Lifecycle,
}
