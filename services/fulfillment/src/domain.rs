//! What a fulfillment may become.

mod state;

use innkeeper_contracts::settings::StartAs;
use innkeeper_contracts::{Event, EventType, PublicIds, Snapshot};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::stories::{Step, Stored};

pub use state::State;

/// The states that lead from the present one to the one that a client's label names; empty where nothing is left to do, `None` where the state
/// does not allow it: a fulfillment goes forward only.
pub fn path(current: State, target: State) -> Option<&'static [State]> {
    match (current, target) {
        _ if current == target => Some(&[]),
        (State::Scheduled, State::InProgress) => Some(&[State::InProgress]),
        (State::Scheduled, State::Completed) => Some(&[State::InProgress, State::Completed]),
        (State::InProgress, State::Completed) => Some(&[State::Completed]),
        (State::Scheduled | State::InProgress, State::Cancelled) => Some(&[State::Cancelled]),
        _ => None,
    }
}

/// Whenever a payment is captured a fulfillment begins, and whenever the booking ends it is cancelled; `id` is reserved for the one that
/// may begin.
pub fn whenever(
    stored: &Stored<State>,
    start_as: StartAs,
    event: &Event,
    id: Option<i64>,
) -> Step<State> {
    let seen = event.data.clock;
    match (stored, event.event_type) {
        (Stored::Absent, EventType::PaymentCaptured) => id.map_or(Step::Keep, |id| {
            Step::Become(vec![begun(id, start_as, event)])
        }),
        (Stored::Absent, event_type) if ends(event_type) => Step::End(seen),
        (Stored::Entity(entity), event_type) if ends(event_type) => {
            match path(entity.state, State::Cancelled) {
                None | Some([]) => Step::Keep,
                Some(path) => Step::Become(entity.walked(path, seen)),
            }
        }
        (Stored::Absent | Stored::Ended | Stored::Entity(_), _) => Step::Keep,
    }
}

/// Whether an event says that the story ended without being delivered.
pub const fn ends(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::BookingCancelled | EventType::BookingRejected | EventType::BookingExpired
    )
}

fn begun(id: i64, start_as: StartAs, event: &Event) -> Entity<State> {
    let booking = &event.data.snapshot;
    let state = match start_as {
        StartAs::Scheduled => State::Scheduled,
        StartAs::InProgress => State::InProgress,
    };
    Entity {
        correlation_id: event.correlation_id,
        id,
        version: 0,
        clock: event.data.clock + 1,
        state,
        snapshot: Snapshot {
            ids: PublicIds {
                fulfillment: Some(id),
                ..booking.ids
            },
            ..booking.clone()
        },
        reason: None,
    }
}
