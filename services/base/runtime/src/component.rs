//! What a component adds to what all services share: routes, reactions to events, and chores.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use innkeeper_contracts::settings::Cors;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::StoreError;

/// Reacts to events. An event may come more than once and must have its effect once.
#[async_trait]
pub trait Reactor: Send + Sync {
    /// The types of events that can have an effect here.
    fn wants(&self) -> &'static [EventType];

    /// Handles an event. An error makes the consumer try again.
    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure>;
}

/// Work that a service does in rounds on its own account.
#[async_trait]
pub trait Chore: Send + Sync {
    /// The name in logs.
    fn name(&self) -> &'static str;

    /// The pause between the end of one round and the beginning of the next.
    fn every(&self) -> Duration;

    /// Does one round. An error is logged, and the next round comes all the same.
    async fn round(&self) -> Result<(), StoreError>;
}

/// A component that is ready to run.
#[derive(Default)]
pub struct Component {
    /// The routes of its business API.
    pub router: Router,
    /// Which scripts of other sites may call it; `None` if none may.
    pub cors: Option<Cors>,
    /// Its reactions to events; `None` if it consumes none.
    pub reactor: Option<Arc<dyn Reactor>>,
    /// Work that it does in rounds, beside requests and events.
    pub chores: Vec<Arc<dyn Chore>>,
}
