//! Loads an entity, takes a decision about it and stores the result. If another writer was faster,
//! it loads and decides again.

use std::sync::Arc;

use innkeeper_contracts::{Event, ServiceSettings, Words};
use uuid::Uuid;

use crate::clock::Clock;
use crate::entity::{Entity, State, tombstone};
use crate::outbox::{Cause, EventBuilder, time_ordered_id};
use crate::rejection::{Failure, Rejection};
use crate::store::{ClaimChange, KeyWrite, OutboxEvent, Row, Store, StoreError, Write, WriteError};

/// How often a decision is taken before the store is reported as unavailable.
const TRIES: u32 = 32;

/// What a service has stored of a saga.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is short-lived and mostly an entity"
)]
pub enum Stored<S> {
    /// There is no row.
    Absent,
    /// There is a tombstone: the saga ended before this service had a row for it.
    Ended,
    /// There is a row.
    Entity(Entity<S>),
}

/// What a decision stores.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<S> {
    /// Stores nothing.
    Keep,
    /// Stores the last of these entities. Each one whose state differs from the state before raises
    /// an event.
    Become(Vec<Entity<S>>),
    /// Stores a tombstone. The number is the clock of the event that ended the saga.
    End(i64),
}

/// What to do with the idempotency key of a saga whose entity changes, given the state before
/// (`None` for a new entity).
pub type SettleKey<S> = dyn Fn(Option<S>, &Entity<S>) -> Option<KeyWrite> + Send + Sync;

/// The sagas of one service, over its store.
pub struct Repository<S> {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    words: Words,
    event_builder: EventBuilder,
    settle_key: Box<SettleKey<S>>,
}

impl<S: State> Repository<S> {
    /// The repository of a service that takes no idempotency keys.
    pub fn new(
        settings: &ServiceSettings,
        words: &Words,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let event_builder = EventBuilder::new(settings, words);
        Self {
            store,
            clock,
            words: words.clone(),
            event_builder,
            settle_key: Box::new(|_, _| None),
        }
    }

    /// The repository of a service that takes idempotency keys: `settle_key` decides when a key is
    /// settled.
    #[must_use]
    pub fn settling(self, settle_key: Box<SettleKey<S>>) -> Self {
        Self { settle_key, ..self }
    }

    /// The words that the platform uses for this component.
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The store, for writes that do not fit [`Step`].
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The correlation id of a new saga: a UUIDv7, so that ids sort by time.
    pub fn next_correlation_id(&self) -> Uuid {
        time_ordered_id(self.clock.now())
    }

    /// Loads what is stored of a saga.
    pub async fn load(&self, correlation_id: Uuid) -> Result<Stored<S>, StoreError> {
        let row = self.store.load(correlation_id).await?;
        stored(row.as_ref())
    }

    /// Loads the entity with a public id, or refuses with [`Rejection::NotFound`].
    pub async fn find(&self, id: i64) -> Result<Entity<S>, Failure> {
        let row = self.store.load_by_id(id).await?;
        let entity = row
            .as_ref()
            .map(Entity::restore)
            .transpose()
            .map_err(StoreError::from)?;
        entity.flatten().ok_or_else(|| Rejection::NotFound.into())
    }

    /// Executes a client's command on the entity with a public id, and returns the entity as it is
    /// then.
    pub async fn execute(
        &self,
        id: i64,
        cause: &Cause,
        decide: impl Fn(&Entity<S>) -> Result<Step<S>, Rejection>,
    ) -> Result<Entity<S>, Failure> {
        for _ in 0..TRIES {
            let entity = self.find(id).await?;
            let step = decide(&entity)?;
            let Step::Become(mut chain) = step else {
                return Ok(entity);
            };
            match self
                .store
                .write(self.write(Some(&entity), &chain, cause))
                .await
            {
                Ok(()) => return Ok(after(chain.pop().unwrap_or(entity))),
                Err(WriteError::Store(error)) => return Err(error.into()),
                Err(WriteError::Conflict | WriteError::Duplicate | WriteError::KeyTaken) => {}
            }
        }
        Err(contended().into())
    }

    /// Lets an event have its effect, once: the event's id goes into the inbox in the same write.
    pub async fn react(
        &self,
        event: &Event,
        decide: impl Fn(&Stored<S>) -> Step<S>,
    ) -> Result<Effect, StoreError> {
        let cause = Cause {
            event_id: Some(event.id),
            traceparent: event.traceparent.clone(),
        };
        for _ in 0..TRIES {
            let stored = self.load(event.correlation_id).await?;
            let mut write = match decide(&stored) {
                Step::Keep => return Ok(Effect::None),
                Step::Become(chain) => self.write(stored.entity(), &chain, &cause),
                Step::End(seen) => Write {
                    row: Some(tombstone(event.correlation_id, seen)),
                    ..Write::default()
                },
            };
            write.inbox = Some(event.id);
            match self.store.write(write).await {
                Ok(()) => return Ok(Effect::Done),
                Err(WriteError::Duplicate) => return Ok(Effect::Duplicate),
                Err(WriteError::Store(error)) => return Err(error),
                Err(WriteError::Conflict | WriteError::KeyTaken) => {}
            }
        }
        Err(contended())
    }

    /// The write that stores the last entity of `chain`, with the events that the chain raises.
    pub fn write(&self, before: Option<&Entity<S>>, chain: &[Entity<S>], cause: &Cause) -> Write {
        let before = before.map(|entity| entity.state);
        let last = chain.last();
        Write {
            row: last.map(|entity| entity.write(ClaimChange::Release)),
            events: self.events(before, chain, cause),
            key: last.and_then(|entity| (self.settle_key)(before, entity)),
            ..Write::default()
        }
    }

    fn events(&self, before: Option<S>, chain: &[Entity<S>], cause: &Cause) -> Vec<OutboxEvent> {
        let mut state = before;
        let mut events = Vec::new();
        for entity in chain {
            if state.replace(entity.state) != Some(entity.state) {
                events.extend(self.event_builder.build(entity, cause, &*self.clock));
            }
        }
        events
    }
}

impl<S> Stored<S> {
    /// The entity; `None` if there is no row or a tombstone.
    pub const fn entity(&self) -> Option<&Entity<S>> {
        match self {
            Self::Entity(entity) => Some(entity),
            Self::Absent | Self::Ended => None,
        }
    }
}

/// What handling an event changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// The event had its effect.
    Done,
    /// The event has no effect in this service.
    None,
    /// The event had its effect before.
    Duplicate,
}

/// Reads what is stored; `None` is no row.
pub fn stored<S: State>(row: Option<&Row>) -> Result<Stored<S>, StoreError> {
    let Some(row) = row else {
        return Ok(Stored::Absent);
    };
    Ok(Entity::restore(row)?.map_or(Stored::Ended, Stored::Entity))
}

/// The entity as it is stored once its write is done: one version later.
pub fn after<S>(entity: Entity<S>) -> Entity<S> {
    Entity {
        version: entity.version + 1,
        ..entity
    }
}

fn contended() -> StoreError {
    StoreError::Unavailable("the row kept changing while it was decided about".into())
}
