//! Who moves the money. The one provider there is decides by the amount alone and moves none, so it needs no call and no key.

use innkeeper_contracts::Snapshot;
use innkeeper_contracts::settings::Provider;

/// What a provider says to a request to reserve money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The money is reserved.
    Approved,
    /// It is not, for this reason.
    Declined(String),
}

/// The decision on a booking's amount.
pub fn decision(provider: Provider, booking: &Snapshot) -> Decision {
    let Provider::Test { decline_above } = provider;
    match (booking.amount, decline_above) {
        (Some(amount), Some(limit)) if amount > limit => Decision::Declined(format!(
            "the amount {amount} is above the provider's limit of {limit}"
        )),
        _ => Decision::Approved,
    }
}
