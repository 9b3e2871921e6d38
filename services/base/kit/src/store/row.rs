//! Rows as they are stored, and changes of them.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// The state of tombstones.
pub const ENDED: &str = "ended";

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Identifies the row within its database. A row that is the only one of its saga has the
    /// saga's correlation id.
    pub row_id: Uuid,
    /// Correlation id of the saga.
    pub correlation_id: Uuid,
    /// The kind of row, such as `booking`; empty for a row that an earlier release has written.
    pub aggregate: String,
    /// The public id, unique within its database; `None` for a tombstone and for a row that clients
    /// do not see.
    pub id: Option<i64>,
    /// 1 for a new row; grows by one with every write.
    pub version: i64,
    /// Canonical name of the state.
    pub state: String,
    /// The saga's logical clock when the row was written.
    pub clock: i64,
    /// The component's own data, as JSON text.
    pub body: String,
    /// The latest claim on the row; `None` once it was released.
    pub claim: Option<Claim>,
    /// When the row was inserted.
    pub created_at: Timestamp,
    /// Who owns the row; `None` if it belongs to nobody in particular.
    pub owner: Option<String>,
    /// A second key, unique among the rows of its aggregate.
    pub second_key: Option<String>,
    /// The row that this one takes a part of, such as the item of an allocation.
    pub parent: Option<Parent>,
}

/// The row that another one takes a part of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parent {
    /// Identifies the parent row.
    pub row_id: Uuid,
    /// For which time; `None` for all time.
    pub range: Option<TimeRange>,
}

/// A range of time, half open: from the first instant until just before the second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeRange {
    /// The first instant that belongs to the range.
    pub from: Timestamp,
    /// The first instant after the range.
    pub until: Timestamp,
}

/// The claim of a process on a pending row: only its owner settles the row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// Id of the process.
    pub owner: Uuid,
    /// Whether the claim was still valid when the row was read, by the database's time.
    pub live: bool,
}

/// What a write does with the claim on its row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClaimChange {
    /// Removes the claim, so that no process holds the row any more.
    Release,
    /// Takes or renews the claim, from the database's present time on.
    Take {
        /// Id of the process.
        owner: Uuid,
        /// How long the claim is valid.
        hold_for: Duration,
    },
}

/// A new or changed row. Owner, parent and aggregate of a row never change.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// Identifies the row within its database.
    pub row_id: Uuid,
    /// Correlation id of the saga.
    pub correlation_id: Uuid,
    /// The kind of row, such as `booking`.
    pub aggregate: &'static str,
    /// The public id; `None` for a tombstone and for a row that clients do not see.
    pub id: Option<i64>,
    /// The version that the decision has seen; 0 for a new row. The write stores the next version.
    pub seen_version: i64,
    /// Canonical name of the state.
    pub state: String,
    /// The saga's logical clock.
    pub clock: i64,
    /// The component's own data, as JSON text.
    pub body: String,
    /// What to do with the claim.
    pub claim: ClaimChange,
    /// Who owns a new row; `None` if it belongs to nobody in particular.
    pub owner: Option<String>,
    /// A second key, unique among the rows of the aggregate. A decision that takes one looks for it
    /// first ([`super::Scope::SecondKey`]).
    pub second_key: Option<String>,
    /// The row that a new row takes a part of.
    pub parent: Option<Parent>,
}
