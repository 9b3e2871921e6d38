//! A step: what a decision may see, and the decision about that.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use uuid::Uuid;

use super::row::{Row, RowChange, TimeRange};
use super::{DeadLetter, KeyChange, KeyRow, OutboxEvent, Store, StoreError};
use crate::principal::Principal;
use crate::rejection::Failure;

/// How often a store lets a step decide anew because of other writers, before it reports that the
/// database is unavailable.
pub const MAX_DECISIONS: u32 = 32;

/// Which rows a decision may see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// None: the decision only adds messages.
    Nothing,
    /// Every row of a saga.
    Saga(Uuid),
    /// The row with a public id.
    Id(i64),
    /// The row with a second key.
    SecondKey {
        /// The kind of row.
        aggregate: &'static str,
        /// The second key, which is unique among the rows of the aggregate.
        key: String,
    },
    /// The row with a public id, and the rows that take a part of it. No other step that has this
    /// row as a parent in its scope runs meanwhile, so that a sum of children can have a limit.
    Parent {
        /// Public id of the parent row.
        id: i64,
        /// Only children whose range overlaps this one, or that have no range; `None` for all
        /// children.
        range: Option<TimeRange>,
    },
    /// Several at once. Steps that have several parents name them in the same order.
    All(Vec<Scope>),
}

impl Scope {
    /// The scopes without [`Scope::All`], in order.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Nothing => Vec::new(),
            Self::All(scopes) => scopes.iter().flat_map(Self::parts).collect(),
            scope => vec![scope],
        }
    }

    /// Whether the scope has a parent row, which must be locked.
    pub fn has_parent(&self) -> bool {
        match self {
            Self::Parent { .. } => true,
            Self::All(scopes) => scopes.iter().any(Self::has_parent),
            Self::Nothing | Self::Saga(_) | Self::Id(_) | Self::SecondKey { .. } => false,
        }
    }
}

/// What a step is about.
#[derive(Clone, Debug, PartialEq)]
pub struct StepInput {
    /// Who asks for the step.
    pub principal: Principal,
    /// Which rows the decision may see.
    pub scope: Scope,
    /// The idempotency key that came with the request. If it is known, the decision sees the rows
    /// of its saga as well.
    pub key: Option<String>,
    /// Id of the consumed event whose effect the step is. If anything changes, the event is no dead
    /// letter any more.
    pub inbox: Option<Uuid>,
    /// Whether the decision may insert a row with a public id.
    pub may_insert: bool,
}

impl StepInput {
    /// A step about existing rows.
    pub fn about(scope: Scope) -> Self {
        Self {
            principal: Principal::anyone(),
            scope,
            key: None,
            inbox: None,
            may_insert: false,
        }
    }
}

/// What a decision sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The rows of the scope, each once.
    pub rows: Vec<Row>,
    /// What is stored of the idempotency key that came with the request.
    pub key: Option<KeyRow>,
    /// The public id for a new row, if the step may insert one and there are no rows. It is lost if
    /// it is not used.
    pub new_id: Option<i64>,
    /// The present time of the database.
    pub now: Timestamp,
}

/// What becomes durable at once, or nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Rows to insert or update, each once.
    pub rows: Vec<RowChange>,
    /// Events for the outbox, in order.
    pub events: Vec<OutboxEvent>,
    /// What to do with an idempotency key.
    pub key: Option<KeyChange>,
    /// A record that could not be handled.
    pub dead_letter: Option<DeadLetter>,
    /// Id of a dead letter to delete; nothing happens if there is none.
    pub discarded: Option<Uuid>,
}

impl Changes {
    /// Whether nothing changes. Then the event whose effect this would be is not recorded either.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Decides what a step changes. It is pure: the store may call it again with what it sees then, and
/// stores nothing if it fails.
pub type Decide = Box<dyn FnMut(&Seen) -> Result<Changes, Failure> + Send>;

/// A step of a service: the unit of what becomes durable.
pub struct Step {
    /// What the step is about.
    pub input: StepInput,
    /// Decides what changes; the store may call it several times.
    pub decide: Decide,
}

/// How a step ended that was not refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepOutcome<T = ()> {
    /// What the decision changed is durable.
    Done(T),
    /// The event of [`StepInput::inbox`] had its effect before. Nothing was changed.
    Duplicate,
}

impl<T> StepOutcome<T> {
    /// The result of a step without [`StepInput::inbox`].
    pub fn done(self) -> T {
        match self {
            Self::Done(value) => value,
            Self::Duplicate => unreachable!("only a step with an event can be a duplicate"),
        }
    }
}

impl dyn Store + '_ {
    /// Runs a step whose decision also has a result for the caller.
    pub async fn decide<T: Send + 'static>(
        &self,
        input: StepInput,
        mut decide: impl FnMut(&Seen) -> Result<(Changes, T), Failure> + Send + 'static,
    ) -> Result<StepOutcome<T>, Failure> {
        let decided = Arc::new(Mutex::new(None));
        let last = Arc::clone(&decided);
        let decide: Decide = Box::new(move |seen| {
            let (changes, result) = decide(seen)?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Ok(changes)
        });
        Ok(match self.run(Step { input, decide }).await? {
            StepOutcome::Done(()) => {
                let mut decided = decided.lock().unwrap_or_else(PoisonError::into_inner);
                StepOutcome::Done(decided.take().expect("what is done was decided"))
            }
            StepOutcome::Duplicate => StepOutcome::Duplicate,
        })
    }
}

/// The error of a step that had to decide too often.
pub fn contended() -> StoreError {
    StoreError::Unavailable("the rows kept changing while they were decided about".into())
}
