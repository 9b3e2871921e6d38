//! Who moves the money. The one provider there is decides by the amount alone and moves none, so it needs no call and no key.

use innkeeper_contracts::Snapshot;
use innkeeper_contracts::settings::Provider;

/// What a provider says to a request to reserve money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The money is reserved.
    Approved,
    /// It is not, for this reason.
    Declined(String),
}

/// The verdict on a booking's amount.
pub fn verdict(provider: Provider, booking: &Snapshot) -> Verdict {
    let Provider::Test { decline_above } = provider;
    match (booking.amount, decline_above) {
        (Some(amount), Some(limit)) if amount > limit => Verdict::Declined(format!(
            "the amount {amount} is above the provider's limit of {limit}"
        )),
        _ => Verdict::Approved,
    }
}
