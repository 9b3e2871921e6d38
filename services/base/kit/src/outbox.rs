//! Builds the event that an entity raises when it enters a new state.

use std::sync::Arc;

use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, ServiceSettings, Words};
use jiff::Timestamp;
use uuid::Uuid;

use crate::entity::{Entity, State};
use crate::store::OutboxEvent;

/// What made a service act.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cause {
    /// Id of the consumed event; `None` if a request was the cause.
    pub event_id: Option<Uuid>,
    /// W3C trace context of the request or event.
    pub traceparent: Option<Arc<str>>,
}

/// Builds the events of one service, in the words of its platform.
#[derive(Clone, Debug)]
pub struct EventBuilder {
    source: EventSource,
    words: Words,
}

impl EventBuilder {
    /// The event builder of a service, whose events name `settings` as their source.
    pub fn new(settings: &ServiceSettings, words: &Words) -> Self {
        Self {
            source: EventSource::of(settings),
            words: words.clone(),
        }
    }

    /// The event that the entity's present state raises, ready for the outbox; `None` where the
    /// state raises no event.
    pub fn build<S: State>(
        &self,
        entity: &Entity<S>,
        cause: &Cause,
        now: Timestamp,
    ) -> Option<OutboxEvent> {
        let state = entity.state.name();
        let event_type = entity.state.event()?;
        let event = Event {
            id: time_ordered_id(now),
            source: self.source.clone(),
            event_type,
            time: now,
            correlation_id: entity.correlation_id,
            causation_id: cause.event_id,
            sequence: entity.clock,
            traceparent: cause.traceparent.clone(),
            data: EventData {
                id: entity.id,
                event: self.words.event(state).to_owned(),
                status: self.words.label(state).to_owned(),
                unlabelled: self.words.is_unlabelled(state),
                clock: entity.clock,
                snapshot: entity.snapshot.clone(),
            },
        };
        Some(outbox_event(S::AGGREGATE, entity.version + 1, event))
    }
}

fn outbox_event(aggregate: &str, version: i64, event: Event) -> OutboxEvent {
    OutboxEvent {
        id: event.id,
        aggregate_type: aggregate.to_owned(),
        aggregate_id: event.correlation_id,
        event_type: event.event_type.as_str().to_owned(),
        version,
        headers: event.headers(),
        payload: event.payload(),
        event: Some(Arc::new(event)),
    }
}

/// A new UUIDv7, so that ids sort by time.
pub fn time_ordered_id(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}
