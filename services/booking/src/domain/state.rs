//! The states of a booking.

use innkeeper_contracts::EventType;

/// The state of a booking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It is committed and not settled yet.
    Pending,
    /// It is valid; its payment is authorized where it is paid on placement.
    Confirmed,
    /// The payment provider refused.
    Rejected,
    /// It was not settled in time, or not paid in time.
    Expired,
    Cancelled,
    /// Its fulfillment is completed.
    Completed,
}

impl innkeeper_kit::State for State {
    const AGGREGATE: &'static str = "booking";
    const ALL: &'static [Self] = &[
        Self::Pending,
        Self::Confirmed,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
        Self::Completed,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    fn event(self) -> Option<EventType> {
        match self {
            Self::Pending => None,
            Self::Confirmed => Some(EventType::BOOKING_CONFIRMED),
            Self::Rejected => Some(EventType::BOOKING_REJECTED),
            Self::Expired => Some(EventType::BOOKING_EXPIRED),
            Self::Cancelled => Some(EventType::BOOKING_CANCELLED),
            Self::Completed => Some(EventType::BOOKING_COMPLETED),
        }
    }
}
