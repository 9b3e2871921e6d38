//! The HTTP resource of bookings, and the calls of services that hold something for them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::post;
use innkeeper_contracts::calls::BOOKINGS;
use innkeeper_kit::Failure;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::store::{Row, StoredAnswer};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::{Change, Create, Creation, Item, Resource, Routes, Update};

use crate::Bookings;
use crate::domain::{State, path};
use crate::inquiry;

/// The routes of a booking service.
pub fn router(bookings: Arc<Bookings>, context: &Context) -> Router {
    let calls = Router::new()
        .route(BOOKINGS, post(inquiry::answer))
        .with_state(Arc::clone(&bookings));
    Routes::new(context, Arc::clone(&bookings) as _)
        .creating(Arc::clone(&bookings) as _)
        .updating(bookings)
        .router()
        .merge(calls)
}

impl Resource for Bookings {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        Ok(self.answers.presenter.item_of::<State>(row)?)
    }
}

#[async_trait]
impl Create for Bookings {
    async fn create(&self, creation: Creation) -> Result<StoredAnswer, Failure> {
        self.place(creation).await
    }
}

#[async_trait]
impl Update for Bookings {
    async fn update(&self, change: Change) -> Result<Item, Failure> {
        let walk = |booking: &Entity<State>, path: &[State]| booking.walked(path, 0);
        let presenter = &self.answers.presenter;
        let booking = change.execute(&self.repository, presenter, path, walk);
        Ok(presenter.item(&booking.await?))
    }
}
