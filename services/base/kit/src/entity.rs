//! The typed row of a component: one saga as one service sees it.

use innkeeper_contracts::{EventType, Snapshot};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use uuid::Uuid;

use crate::store::{ClaimChange, ENDED, Row, RowChange};

/// The states that the rows of a component can have.
pub trait State: Copy + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// The kind of row, such as `booking`.
    const AGGREGATE: &'static str;
    /// Every state of the component.
    const ALL: &'static [Self];

    /// The canonical name, as it is stored.
    fn name(self) -> &'static str;

    /// The type of the event that entering the state raises; `None` if it raises none.
    fn event(self) -> Option<EventType>;

    /// The state with a canonical name; `None` for an unknown one.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }
}

/// One saga as one service sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity<S> {
    /// Correlation id of the saga.
    pub correlation_id: Uuid,
    /// The public id, unique within the service.
    pub id: i64,
    /// The stored version; 0 while nothing is stored.
    pub version: i64,
    /// The saga's logical clock (Lamport).
    pub clock: i64,
    /// Where the saga stands in this service, such as `confirmed`.
    pub state: S,
    /// What is known of the booking.
    pub snapshot: Snapshot,
    /// Why it was refused, in words for people.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    snapshot: Snapshot,
    #[serde(default)]
    reason: Option<String>,
}

/// A [`Body`] to be written.
#[skip_serializing_none]
#[derive(Serialize)]
struct BodyRef<'a> {
    snapshot: &'a Snapshot,
    reason: Option<&'a str>,
}

/// Why a stored row cannot be read as an entity.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// This release does not know the stored state.
    #[error("row {correlation_id} is in the unknown state {state:?}")]
    State {
        /// Correlation id of the saga.
        correlation_id: Uuid,
        /// Name of the state in the stored row.
        state: String,
    },
    /// The stored body is not valid JSON of an entity.
    #[error("the body of row {correlation_id} cannot be read")]
    Body {
        /// Correlation id of the saga.
        correlation_id: Uuid,
        /// What is wrong with the JSON.
        source: serde_json::Error,
    },
}

impl From<RestoreError> for crate::store::StoreError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::State { .. } => Self::Unknown(Box::new(error)),
            RestoreError::Body { .. } => Self::Unreadable(Box::new(error)),
        }
    }
}

impl<S: State> Entity<S> {
    /// Reads the entity of a stored row; `None` for a tombstone.
    pub fn restore(row: &Row) -> Result<Option<Self>, RestoreError> {
        let Some(id) = row.id else { return Ok(None) };
        let correlation_id = row.correlation_id;
        let state = S::parse(&row.state).ok_or_else(|| RestoreError::State {
            correlation_id,
            state: row.state.clone(),
        })?;
        let body: Body = serde_json::from_str(&row.body).map_err(|source| RestoreError::Body {
            correlation_id,
            source,
        })?;
        Ok(Some(Self {
            correlation_id,
            id,
            version: row.version,
            clock: row.clock,
            state,
            snapshot: body.snapshot,
            reason: body.reason,
        }))
    }

    /// The entity in its next state. `seen` is the clock of the event or answer that causes the
    /// move, or 0.
    #[must_use]
    pub fn moved(&self, state: S, seen: i64) -> Self {
        Self {
            state,
            clock: self.clock.max(seen) + 1,
            ..self.clone()
        }
    }

    /// The entity after each state of a path, in order.
    pub fn walked(&self, path: &[S], seen: i64) -> Vec<Self> {
        let mut chain: Vec<Self> = Vec::with_capacity(path.len());
        for state in path {
            let next = chain.last().unwrap_or(self).moved(*state, seen);
            chain.push(next);
        }
        chain
    }

    /// The entity with its clock raised to at least `clock`, so that its next event counts as
    /// later.
    #[must_use]
    pub fn having_seen(&self, clock: i64) -> Self {
        Self {
            clock: self.clock.max(clock),
            ..self.clone()
        }
    }

    /// The change that stores the entity.
    pub fn change(&self, claim: ClaimChange) -> RowChange {
        let body = BodyRef {
            snapshot: &self.snapshot,
            reason: self.reason.as_deref(),
        };
        RowChange {
            row_id: self.correlation_id,
            correlation_id: self.correlation_id,
            aggregate: S::AGGREGATE,
            id: Some(self.id),
            seen_version: self.version,
            state: self.state.name().to_owned(),
            clock: self.clock,
            body: serde_json::to_string(&body).expect("a snapshot has only string keys"),
            claim,
            owner: None,
            second_key: None,
            parent: None,
        }
    }
}

/// The change that stores a tombstone: the saga ended before this service had a row for it. `seen`
/// is the clock of the event that ended it.
pub fn tombstone<S: State>(correlation_id: Uuid, seen: i64) -> RowChange {
    RowChange {
        row_id: correlation_id,
        correlation_id,
        aggregate: S::AGGREGATE,
        id: None,
        seen_version: 0,
        state: ENDED.to_owned(),
        clock: seen + 1,
        body: "{}".to_owned(),
        claim: ClaimChange::Release,
        owner: None,
        second_key: None,
        parent: None,
    }
}
