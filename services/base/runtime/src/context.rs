//! What a service is given when it starts: nothing reaches it any other way.

use std::sync::Arc;

use innkeeper_contracts::ServiceSettings;
use innkeeper_kit::store::Store;
use innkeeper_kit::{Clock, CrashPlan};
use uuid::Uuid;

use crate::client::Client;

/// What a service is given when it starts.
#[derive(Clone)]
pub struct Context {
    /// Its settings.
    pub settings: Arc<ServiceSettings>,
    /// Its rows.
    pub store: Arc<dyn Store>,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its way to other services.
    pub client: Client,
    /// Where it dies, in tests.
    pub crash: CrashPlan,
    /// Its process: what owns claims and leases.
    pub process: Uuid,
}
