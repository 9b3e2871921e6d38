//! The payment provider. The only one so far decides by the amount and moves no money, so it needs
//! no call and no idempotency key.

use innkeeper_contracts::Snapshot;
use innkeeper_contracts::settings::Provider;

/// A provider's decision about a request to reserve money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The money is reserved.
    Approved,
    /// The provider refuses, with a reason for people.
    Declined(String),
}

/// The decision about a booking's amount.
pub fn decision(provider: Provider, booking: &Snapshot) -> Decision {
    let Provider::Test { decline_above } = provider;
    match (booking.amount, decline_above) {
        (Some(amount), Some(limit)) if amount > limit => Decision::Declined(format!(
            "the amount {amount} is above the provider's limit of {limit}"
        )),
        _ => Decision::Approved,
    }
}
