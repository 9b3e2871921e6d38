//! Shows the entities of a component as clients see them.

use std::sync::Arc;

use innkeeper_contracts::{ServiceSettings, Words};
use innkeeper_kit::show::{self, Shown};
use innkeeper_kit::store::{Row, StoreError};
use innkeeper_kit::{Entity, State};
use serde_json::{Map, Value};

use super::{Item, hal};

/// Shows entities in the platform's words, as HAL items of the service's resource. A clone is
/// cheap.
#[derive(Clone, Debug)]
pub struct Presenter {
    words: Arc<Words>,
    shown: Shown,
    path: Arc<str>,
}

impl Presenter {
    /// The presenter of a service whose component has these words.
    pub fn new(service: &ServiceSettings, words: &Words, shown: Shown) -> Self {
        Self {
            words: Arc::new(words.clone()),
            shown,
            path: service.path.as_str().into(),
        }
    }

    /// The words of the component.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// An entity as clients see it.
    pub fn item<S: State>(&self, entity: &Entity<S>) -> Item {
        Item {
            id: entity.id,
            fields: show::entity(&self.words, self.shown, entity),
        }
    }

    /// A row as clients see it; `None` for a tombstone.
    pub fn item_of<S: State>(&self, row: &Row) -> Result<Option<Item>, StoreError> {
        let entity = Entity::<S>::restore(row).map_err(StoreError::from)?;
        Ok(entity.map(|entity| self.item(&entity)))
    }

    /// The representation of an entity: what GET answers.
    pub fn representation<S: State>(&self, entity: &Entity<S>) -> Map<String, Value> {
        hal::item(&self.path, self.item(entity))
    }

    /// The same as text.
    pub fn body<S: State>(&self, entity: &Entity<S>) -> String {
        hal::text(self.representation(entity))
    }
}
