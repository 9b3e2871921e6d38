//! The states of a fulfillment.

use innkeeper_contracts::EventType;

/// The state of a fulfillment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It waits to be started.
    Scheduled,
    /// It is under way.
    InProgress,
    Completed,
    Cancelled,
}

impl innkeeper_kit::State for State {
    const AGGREGATE: &'static str = "fulfillment";
    const ALL: &'static [Self] = &[
        Self::Scheduled,
        Self::InProgress,
        Self::Completed,
        Self::Cancelled,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "inProgress",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    fn event(self) -> Option<EventType> {
        Some(match self {
            Self::Scheduled => EventType::FULFILLMENT_SCHEDULED,
            Self::InProgress => EventType::FULFILLMENT_STARTED,
            Self::Completed => EventType::FULFILLMENT_COMPLETED,
            Self::Cancelled => EventType::FULFILLMENT_CANCELLED,
        })
    }
}
