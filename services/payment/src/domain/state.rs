//! The states of a payment.

use innkeeper_contracts::EventType;

/// The state of a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The booking is confirmed, and no money is reserved yet.
    Requested,
    /// The money is reserved.
    Authorized,
    /// The provider refused to reserve the money.
    Declined,
    /// The money was captured.
    Captured,
    /// The reserved money was released.
    Voided,
    /// The captured money was given back.
    Refunded,
}

impl innkeeper_kit::State for State {
    const AGGREGATE: &'static str = "payment";
    const ALL: &'static [Self] = &[
        Self::Requested,
        Self::Authorized,
        Self::Declined,
        Self::Captured,
        Self::Voided,
        Self::Refunded,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
        }
    }

    fn event(self) -> Option<EventType> {
        Some(match self {
            Self::Requested => EventType::PAYMENT_REQUESTED,
            Self::Authorized => EventType::PAYMENT_AUTHORIZED,
            Self::Declined => EventType::PAYMENT_DECLINED,
            Self::Captured => EventType::PAYMENT_CAPTURED,
            Self::Voided => EventType::PAYMENT_VOIDED,
            Self::Refunded => EventType::PAYMENT_REFUNDED,
        })
    }
}
