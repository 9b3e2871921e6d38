//! A reactor that does what the test says, and remembers it.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{
    Changes, ClaimChange, RowChange, Scope, StepInput, StepOutcome, Store, StoreError,
};
use innkeeper_runtime::component::Reactor;
use innkeeper_testkit::patience::until_watched;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// The types of events that the reactors want.
const WANTED: &[EventType] = &[EventType::BOOKING_CONFIRMED, EventType::BOOKING_CANCELLED];

/// A type of event that the reactors do not want.
pub const UNWANTED: EventType = EventType::PAYMENT_DECLINED;

/// The result of an event, by its name and the number of attempts before.
type Script = dyn Fn(&str, usize) -> Result<(), StoreError> + Send + Sync;

/// A reactor that follows a script.
pub struct Scripted {
    script: Box<Script>,
    /// A gate that an event must pass after it was tried.
    pub gate: Semaphore,
    /// The names of events, each as often as it was tried.
    pub tried: watch::Sender<Vec<String>>,
    /// The names of events that had their effect, in the order in which they had it.
    pub done: watch::Sender<Vec<String>>,
}

impl Scripted {
    pub fn new(
        script: impl Fn(&str, usize) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            tried: watch::Sender::default(),
            done: watch::Sender::default(),
        })
    }

    /// Lets every event have its effect.
    pub fn willing() -> Arc<Self> {
        Self::new(|_, _| Ok(()))
    }

    /// Lets every event have its effect, once it is let through the gate.
    pub fn gated() -> Arc<Self> {
        let reactor = Self::willing();
        reactor.gate.forget_permits(Semaphore::MAX_PERMITS);
        reactor
    }

    pub fn tries_of(&self, name: &str) -> usize {
        times(&self.tried.borrow(), name)
    }

    /// Waits until the names of the events that were tried are as they should be.
    pub async fn until_tried(&self, is_so: impl FnMut(&Vec<String>) -> bool) {
        until_watched("what is tried", &self.tried, is_so).await;
    }

    /// Waits until the names of the events that had their effect are as they should be.
    pub async fn until_done(&self, is_so: impl FnMut(&Vec<String>) -> bool) {
        until_watched("what is done", &self.done, is_so).await;
    }

    pub fn all_done(&self) -> Vec<String> {
        self.done.borrow().clone()
    }
}

/// The database is away.
pub fn away() -> StoreError {
    StoreError::Unavailable("on purpose".into())
}

/// The database answers with an error.
pub fn failed() -> StoreError {
    StoreError::Failed("on purpose".into())
}

/// A row is in a state that a later release has written.
pub fn unknown_state() -> StoreError {
    StoreError::Unknown("on purpose".into())
}

fn times(names: &[String], name: &str) -> usize {
    names.iter().filter(|tried| *tried == name).count()
}

#[async_trait]
impl Reactor for Scripted {
    fn wants(&self) -> &'static [EventType] {
        WANTED
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        let name = &event.data.event;
        let before = self.tries_of(name);
        self.tried.send_modify(|tried| tried.push(name.clone()));
        let _passing = self.gate.acquire().await.unwrap();
        (self.script)(name, before)?;
        self.done.send_modify(|done| done.push(name.clone()));
        Ok(Effect::Done)
    }
}

/// A reactor that stores a row for each event, once, unless its database is away.
pub struct Storing(pub Arc<dyn Store>);

#[async_trait]
impl Reactor for Storing {
    fn wants(&self) -> &'static [EventType] {
        WANTED
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        let saga = Uuid::now_v7();
        let input = StepInput {
            inbox: Some(event.id),
            may_insert: true,
            ..StepInput::about(Scope::Saga(saga))
        };
        let stored = self.0.decide(input, move |seen| {
            let changes = Changes {
                rows: vec![row(saga, seen.new_id)],
                ..Changes::default()
            };
            Ok((changes, Effect::Done))
        });
        Ok(match stored.await? {
            StepOutcome::Done(effect) => effect,
            StepOutcome::Duplicate => Effect::Duplicate,
        })
    }
}

fn row(saga: Uuid, id: Option<i64>) -> RowChange {
    RowChange {
        row_id: saga,
        correlation_id: saga,
        aggregate: "test",
        id,
        seen_version: 0,
        state: "done".to_owned(),
        clock: 1,
        body: "{}".to_owned(),
        claim: ClaimChange::Release,
        owner: None,
        second_key: None,
        parent: None,
    }
}
