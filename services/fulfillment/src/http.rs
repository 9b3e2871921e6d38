//! The HTTP resource of fulfillments.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use innkeeper_kit::Failure;
use innkeeper_kit::entity::Entity;
use innkeeper_kit::label;
use innkeeper_kit::repository::Decision;
use innkeeper_kit::show::{self, Shown};
use innkeeper_kit::store::{Row, StoreError};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::{self, Change, Item, Methods, Resource};

use crate::Fulfillments;
use crate::domain::{State, path};

/// The routes of a fulfillment service.
pub fn router(fulfillments: Arc<Fulfillments>, context: &Context) -> Router {
    let methods = Methods {
        create: false,
        change: true,
    };
    resource::router(context, methods, fulfillments)
}

#[async_trait]
impl Resource for Fulfillments {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        let entity = Entity::restore(row).map_err(StoreError::from)?;
        Ok(entity.map(|entity| self.item(&entity)))
    }

    async fn change(&self, change: Change) -> Result<Item, Failure> {
        let words = self.repository.words().clone();
        let asked = label::asked(&words, &change.body, path)?;
        let (id, cause) = (change.id, change.cause.clone());
        let fulfillment = self.repository.execute(id, cause, move |fulfillment| {
            change.check(&words, fulfillment)?;
            let path = label::path_to(&words, fulfillment.state, &asked, path)?;
            Ok(if path.is_empty() {
                Decision::Keep
            } else {
                Decision::Become(fulfillment.walked(path, 0))
            })
        });
        Ok(self.item(&fulfillment.await?))
    }
}

impl Fulfillments {
    fn item(&self, fulfillment: &Entity<State>) -> Item {
        let fields = show::entity(self.repository.words(), Shown::Declared, fulfillment);
        Item {
            id: fulfillment.id,
            version: fulfillment.version,
            fields,
        }
    }
}
