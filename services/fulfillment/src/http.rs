//! The HTTP resource of fulfillments.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use innkeeper_kit::Failure;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::store::Row;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::{Change, Item, Resource, Routes, Update};

use crate::Fulfillments;
use crate::domain::{State, path};

/// The routes of a fulfillment service.
pub fn router(fulfillments: Arc<Fulfillments>, context: &Context) -> Router {
    Routes::new(context, Arc::clone(&fulfillments) as _)
        .updating(fulfillments)
        .router()
}

impl Resource for Fulfillments {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        Ok(self.presenter.item_of::<State>(row)?)
    }
}

#[async_trait]
impl Update for Fulfillments {
    async fn update(&self, change: Change) -> Result<Item, Failure> {
        let walk = |fulfillment: &Entity<State>, path: &[State]| fulfillment.walked(path, 0);
        let fulfillment = change
            .execute(&self.repository, &self.presenter, path, walk)
            .await?;
        Ok(self.presenter.item(&fulfillment))
    }
}
