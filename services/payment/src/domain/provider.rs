//! The payment provider. The only one so far decides by the amount and moves no money, so it needs
//! no call and no idempotency key.

use innkeeper_contracts::Snapshot;
use innkeeper_contracts::settings::Provider;

/// A provider's answer to a request to reserve money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Approval {
    /// The money is reserved.
    Approved,
    /// The provider refuses, with a reason for people.
    Declined(String),
}

/// The answer about a booking's amount.
pub fn approval(provider: Provider, booking: &Snapshot) -> Approval {
    let Provider::Test { decline_above } = provider;
    match (booking.amount, decline_above) {
        (Some(amount), Some(limit)) if amount > limit => Approval::Declined(format!(
            "the amount {amount} is above the provider's limit of {limit}"
        )),
        _ => Approval::Approved,
    }
}
