//! The use-case loop: load, decide, save, and decide again when somebody else was faster.

use std::sync::Arc;

use innkeeper_contracts::{Event, ServiceSettings, Words};
use uuid::Uuid;

use crate::clock::Clock;
use crate::entity::{Entity, State, tombstone};
use crate::outbox::{Cause, EventBuilder, time_ordered_id};
use crate::rejection::{Failure, Rejection};
use crate::store::{ClaimChange, KeyWrite, OutboxEvent, Row, Store, StoreError, Write, WriteError};

/// How often a decision is taken again before the store is said to have failed.
const TRIES: u32 = 32;

/// What is stored of a saga.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is short-lived and mostly an entity"
)]
pub enum Stored<S> {
    /// Nothing.
    Absent,
    /// A tombstone: the saga ended before this service had a row of it.
    Ended,
    /// A row.
    Entity(Entity<S>),
}

/// What a decision does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<S> {
    /// Nothing.
    Keep,
    /// Stores the last of these; each that is in another state than the one before raises its event.
    Become(Vec<Entity<S>>),
    /// Leaves a tombstone with the highest clock seen.
    End(i64),
}

/// What becomes of the idempotency key of a saga that moves from one state to an entity.
pub type SettleKey<S> = dyn Fn(Option<S>, &Entity<S>) -> Option<KeyWrite> + Send + Sync;

/// Loads and stores the sagas of one service: each call is one unit of work in the store.
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

    /// The platform's words.
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The correlation id of a new saga: a UUIDv7, so that ids sort by time.
    pub fn next_correlation_id(&self) -> Uuid {
        time_ordered_id(self.clock.now())
    }

    /// What is stored of a saga.
    pub async fn load(&self, correlation_id: Uuid) -> Result<Stored<S>, StoreError> {
        let row = self.store.load(correlation_id).await?;
        stored(row.as_ref())
    }

    /// The row with a public id.
    pub async fn find(&self, id: i64) -> Result<Entity<S>, Failure> {
        let row = self.store.load_by_id(id).await?;
        let entity = row
            .as_ref()
            .map(Entity::restore)
            .transpose()
            .map_err(StoreError::from)?;
        entity.flatten().ok_or_else(|| Rejection::NotFound.into())
    }

    /// Carries out a client's command on the row with a public id, and returns the row as it is then.
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

    /// Lets an event have its effect, once.
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

    /// The write that stores a chain of moves.
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
    /// The entity, if there is one.
    pub const fn entity(&self) -> Option<&Entity<S>> {
        match self {
            Self::Entity(entity) => Some(entity),
            Self::Absent | Self::Ended => None,
        }
    }
}

/// What came of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It had its effect.
    Done,
    /// It has none here.
    None,
    /// It had its effect before.
    Duplicate,
}

/// What a row stores.
pub fn stored<S: State>(row: Option<&Row>) -> Result<Stored<S>, StoreError> {
    let Some(row) = row else {
        return Ok(Stored::Absent);
    };
    Ok(Entity::restore(row)?.map_or(Stored::Ended, Stored::Entity))
}

/// An entity as it is once its write is done.
pub fn after<S>(entity: Entity<S>) -> Entity<S> {
    Entity {
        version: entity.version + 1,
        ..entity
    }
}

fn contended() -> StoreError {
    StoreError::Unavailable("the row kept changing while it was decided about".into())
}
