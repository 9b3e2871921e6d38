//! The typed side of steps: loads an entity, lets the domain decide about it, and stores what
//! becomes of it with the events that this raises.

use std::sync::Arc;

use innkeeper_contracts::{Event, ServiceSettings, Words};
use jiff::Timestamp;
use uuid::Uuid;

use crate::clock::Clock;
use crate::entity::{Entity, State, tombstone};
use crate::outbox::{Cause, EventBuilder, time_ordered_id};
use crate::principal::Principal;
use crate::rejection::{Failure, Rejection};
use crate::store::{
    Changes, ClaimChange, KeyChange, OutboxEvent, Row, Scope, Seen, StepInput, StepOutcome, Store,
    StoreError, StoredAnswer,
};

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

/// What is decided about a saga.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision<S> {
    /// Stores nothing: the row, its claim and its key stay as they are.
    Keep,
    /// Stores the last of these entities and releases the claim. Each one whose state differs from
    /// the state before raises an event.
    Become(Vec<Entity<S>>),
    /// Stores an entity and changes the claim on it. It raises no event.
    Claim(Box<Entity<S>>, ClaimChange, Option<KeyChange>),
    /// Stores a tombstone. The number is the clock of the event that ended the saga.
    End(i64),
}

/// What to do with the idempotency key of a saga whose entity changes, given the state before
/// (`None` for a new entity).
pub type SettleKey<S> = dyn Fn(Option<S>, &Entity<S>) -> Option<KeyChange> + Send + Sync;

/// The sagas of one service, over its store.
pub struct Repository<S> {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    writing: Arc<Writing<S>>,
}

/// What turns decisions into changes.
struct Writing<S> {
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
        Self::settling(settings, words, store, clock, Box::new(|_, _| None))
    }

    /// The repository of a service that takes idempotency keys: `settle_key` decides when a key is
    /// settled.
    pub fn settling(
        settings: &ServiceSettings,
        words: &Words,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        settle_key: Box<SettleKey<S>>,
    ) -> Self {
        let writing = Writing {
            words: words.clone(),
            event_builder: EventBuilder::new(settings, words),
            settle_key,
        };
        Self {
            store,
            clock,
            writing: Arc::new(writing),
        }
    }

    /// The words that the platform uses for this component.
    pub fn words(&self) -> &Words {
        &self.writing.words
    }

    /// The store, for what is no step.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The present time of this process.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The correlation id of a new saga: a UUIDv7, so that ids sort by time.
    pub fn next_correlation_id(&self) -> Uuid {
        time_ordered_id(self.clock.now())
    }

    /// Runs a step, and returns what is stored of the saga then, and the decision's result.
    pub async fn run<T: Send + 'static>(
        &self,
        input: StepInput,
        cause: Cause,
        decide: impl Fn(&Stored<S>, &Seen) -> Result<(Decision<S>, T), Failure> + Send + 'static,
    ) -> Result<StepOutcome<(Stored<S>, T)>, Failure> {
        Ok(match self.run_settling(input, cause, true, decide).await? {
            StepOutcome::Done((stored, result, _)) => StepOutcome::Done((stored, result)),
            StepOutcome::Duplicate => StepOutcome::Duplicate,
        })
    }

    /// The same, and also returns the final answer with which the saga's idempotency key is
    /// settled, if it has one; `None` if the step settles no key. `has_key` is `false` only for a
    /// saga that surely was begun without a key: a key that this passes over stays in flight for
    /// ever.
    pub async fn run_settling<T: Send + 'static>(
        &self,
        input: StepInput,
        cause: Cause,
        has_key: bool,
        decide: impl Fn(&Stored<S>, &Seen) -> Result<(Decision<S>, T), Failure> + Send + 'static,
    ) -> Result<StepOutcome<(Stored<S>, T, Option<StoredAnswer>)>, Failure> {
        let writing = Arc::clone(&self.writing);
        let owner = input.principal.owner().map(ToOwned::to_owned);
        let scope = input.scope.clone();
        self.store
            .decide(input, move |seen| {
                let stored = seen.stored()?;
                let (decision, result) = decide(&stored, seen)?;
                let mut changes = writing.changes(&stored, &decision, &cause, seen.now);
                if has_key && let Decision::Become(chain) = &decision {
                    changes.key = writing.settled(&stored, chain);
                }
                if let (Decision::End(clock), Scope::Saga(saga)) = (&decision, &scope) {
                    changes.rows.push(tombstone::<S>(*saga, *clock));
                }
                for row in &mut changes.rows {
                    row.owner.clone_from(&owner);
                }
                let answer = match &changes.key {
                    Some(KeyChange::Settle { answer, .. }) => Some(answer.clone()),
                    _ => None,
                };
                Ok((changes, (after(stored, decision), result, answer)))
            })
            .await
    }

    /// Executes a principal's command on the entity with a public id, and returns the entity as it
    /// is then.
    pub async fn execute(
        &self,
        id: i64,
        principal: Principal,
        cause: Cause,
        decide: impl Fn(&Entity<S>) -> Result<Decision<S>, Rejection> + Send + 'static,
    ) -> Result<Entity<S>, Failure> {
        let input = StepInput {
            principal,
            ..StepInput::about(Scope::Id(id))
        };
        let ran = self.run(input, cause, move |stored, _| {
            let entity = stored.entity().ok_or(Rejection::NotFound)?;
            Ok((decide(entity)?, ()))
        });
        match ran.await?.done() {
            (Stored::Entity(entity), ()) => Ok(entity),
            (Stored::Absent | Stored::Ended, ()) => Err(Rejection::NotFound.into()),
        }
    }

    /// Lets an event have its effect, once: the event's id goes into the inbox in the same step. If
    /// the saga has no row and `may_open` is set, the decision is given the public id for one.
    pub async fn react(
        &self,
        event: &Event,
        may_open: bool,
        decide: impl Fn(&Stored<S>, Option<i64>) -> Decision<S> + Send + 'static,
    ) -> Result<Effect, Failure> {
        let cause = Cause {
            event_id: Some(event.id),
            traceparent: event.traceparent.clone(),
        };
        let input = StepInput {
            inbox: Some(event.id),
            may_insert: may_open,
            ..StepInput::about(Scope::Saga(event.correlation_id))
        };
        let ran = self.run(input, cause, move |stored, seen| {
            let decision = decide(stored, seen.new_id);
            let effect = match decision {
                Decision::Keep => Effect::None,
                _ => Effect::Done,
            };
            Ok((decision, effect))
        });
        Ok(match ran.await? {
            StepOutcome::Done((_, effect)) => effect,
            StepOutcome::Duplicate => Effect::Duplicate,
        })
    }
}

impl<S: State> Writing<S> {
    /// What a decision changes, but for the tombstone of [`Decision::End`] and the key that
    /// [`Decision::Become`] settles.
    fn changes(
        &self,
        stored: &Stored<S>,
        decision: &Decision<S>,
        cause: &Cause,
        now: Timestamp,
    ) -> Changes {
        match decision {
            Decision::Keep | Decision::End(_) => Changes::default(),
            Decision::Become(chain) => {
                let before = stored.entity().map(|entity| entity.state);
                let row = chain.last();
                let row = row.map(|entity| entity.change(ClaimChange::Release));
                Changes {
                    rows: row.into_iter().collect(),
                    events: self.events(before, chain, cause, now),
                    ..Changes::default()
                }
            }
            Decision::Claim(entity, claim, key) => Changes {
                rows: vec![entity.change(*claim)],
                key: key.clone(),
                ..Changes::default()
            },
        }
    }

    fn settled(&self, stored: &Stored<S>, chain: &[Entity<S>]) -> Option<KeyChange> {
        let before = stored.entity().map(|entity| entity.state);
        (self.settle_key)(before, chain.last()?)
    }

    fn events(
        &self,
        before: Option<S>,
        chain: &[Entity<S>],
        cause: &Cause,
        now: Timestamp,
    ) -> Vec<OutboxEvent> {
        let mut state = before;
        let mut events = Vec::new();
        for entity in chain {
            if state.replace(entity.state) != Some(entity.state) {
                events.extend(self.event_builder.build(entity, cause, now));
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

impl Seen {
    /// The row of an aggregate, if the scope has one.
    pub fn row(&self, aggregate: &str) -> Option<&Row> {
        // Earlier releases wrote no aggregate, and had one only.
        let mut rows = self.rows.iter();
        rows.find(|row| row.aggregate == aggregate || row.aggregate.is_empty())
    }

    /// What is stored of a component's only row.
    pub fn stored<S: State>(&self) -> Result<Stored<S>, StoreError> {
        stored(self.row(S::AGGREGATE))
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

/// What is stored once a decision is durable.
fn after<S>(stored: Stored<S>, decision: Decision<S>) -> Stored<S> {
    let written = |entity: Entity<S>| {
        Stored::Entity(Entity {
            version: entity.version + 1,
            ..entity
        })
    };
    match decision {
        Decision::Keep => stored,
        Decision::Become(mut chain) => chain.pop().map_or(stored, written),
        Decision::Claim(entity, _, _) => written(*entity),
        Decision::End(_) => Stored::Ended,
    }
}
