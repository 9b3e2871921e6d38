//! What a component adds to the shared shape of a service: routes, reactions to events, and work of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::StoreError;

/// Reacts to events. The same event may come again, and must have its effect once.
#[async_trait]
pub trait Reactor: Send + Sync {
    /// Whether events of this type can have an effect here.
    fn wants(&self, event_type: EventType) -> bool;

    /// Lets an event have its effect.
    async fn react(&self, event: &Event) -> Result<Effect, StoreError>;
}

/// Work that a service does now and then on its own account.
#[async_trait]
pub trait Chore: Send + Sync {
    /// For logs.
    fn name(&self) -> &'static str;

    /// Time from the end of one round to the beginning of the next.
    fn every(&self) -> Duration;

    /// One round; errors are logged, and the next round comes all the same.
    async fn round(&self) -> Result<(), StoreError>;
}

/// A component, ready to be run.
#[derive(Default)]
pub struct Component {
    /// Its routes.
    pub router: Router,
    /// Its reactions, if it has any.
    pub reactor: Option<Arc<dyn Reactor>>,
    /// Its own work.
    pub chores: Vec<Arc<dyn Chore>>,
}
