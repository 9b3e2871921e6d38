//! The HTTP resource of bookings, and the calls of services that hold something for them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::post;
use innkeeper_contracts::calls::BOOKINGS;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::repository::Decision;
use innkeeper_kit::store::{Row, StoreError, StoredAnswer};
use innkeeper_kit::{Failure, label};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::{self, Change, Creation, Item, Methods, Resource};

use crate::Bookings;
use crate::domain::path;
use crate::inquiry;

/// The routes of a booking service.
pub fn router(bookings: Arc<Bookings>, context: &Context) -> Router {
    let methods = Methods {
        create: true,
        change: true,
    };
    let calls = Router::new()
        .route(BOOKINGS, post(inquiry::answer))
        .with_state(Arc::clone(&bookings));
    resource::router(context, methods, bookings).merge(calls)
}

#[async_trait]
impl Resource for Bookings {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        let entity = Entity::restore(row).map_err(StoreError::from)?;
        Ok(entity.map(|booking| self.answers.item(&booking)))
    }

    async fn create(&self, creation: Creation) -> Result<StoredAnswer, Failure> {
        self.place(creation).await
    }

    async fn change(&self, change: Change) -> Result<Item, Failure> {
        let words = self.repository.words().clone();
        let asked = label::asked(&words, &change.body, path)?;
        let (id, cause) = (change.id, change.cause.clone());
        let booking = self.repository.execute(id, cause, move |booking| {
            change.check(&words, booking)?;
            let path = label::path_to(&words, booking.state, &asked, path)?;
            Ok(if path.is_empty() {
                Decision::Keep
            } else {
                Decision::Become(booking.walked(path, 0))
            })
        });
        Ok(self.answers.item(&booking.await?))
    }
}
