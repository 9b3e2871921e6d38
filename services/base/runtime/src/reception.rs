//! What a service does with a record that it receives: it finds out whose it is and whether this
//! release knows its type before it reads the payload, and then lets it have its effect.

use std::borrow::Cow;
use std::sync::Arc;

use innkeeper_contracts::event::{EventSource, Header, Heading};
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::log::Content;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{DeadLetterKind, StoreError};

use crate::component::Reactor;
use crate::context::Context;
use crate::problem::causes;

/// Lets records have their effect in one service.
pub struct Reception {
    reactor: Arc<dyn Reactor>,
    /// This service, as it is named in the source of events.
    name: EventSource,
    known: &'static [EventType],
}

/// Why a record has not had its effect.
#[derive(Debug)]
pub enum NotReceived {
    /// The database is away. That says nothing about the record.
    Away(StoreError),
    /// The record cannot be handled, however often it is tried.
    Hopeless(DeadLetterKind, String),
    /// The effect failed. It may succeed another time.
    Failed(String),
}

impl Reception {
    /// The reception of a service that reacts to events, in a release that knows these types.
    pub fn new(context: &Context, reactor: Arc<dyn Reactor>, known: &'static [EventType]) -> Self {
        Self {
            reactor,
            name: EventSource::of(&context.settings),
            known,
        }
    }

    /// Lets a record have its effect. What belongs to another system, platform or
    /// incarnation has none.
    pub async fn apply(&self, content: &Content) -> Result<Effect, NotReceived> {
        let Some(event) = self.event(content)? else {
            return Ok(Effect::None);
        };
        self.reactor.react(&event).await.map_err(not_received)
    }

    /// The event of a record that may have an effect here; `None` if it has none.
    fn event(&self, content: &Content) -> Result<Option<Arc<Event>>, NotReceived> {
        let Some((event_type, source)) = self.wanted(content)? else {
            return Ok(None);
        };
        let (headers, payload) = match content {
            Content::Event(event) => return Ok(Some(Arc::clone(event))),
            Content::Encoded { headers, payload } => (headers, payload),
        };
        let source = source.into_owned();
        let event = Event::decode(event_type, source, headers, payload);
        let event = event.map_err(|error| unreadable(&error))?;
        Ok(Some(Arc::new(event)))
    }

    /// Whether a record has no effect in this service, which its type and source tell.
    pub fn passes_over(&self, content: &Content) -> bool {
        matches!(self.wanted(content), Ok(None))
    }

    /// The type and the source of a record that may have an effect here; `None` if it has none.
    fn wanted<'a>(
        &self,
        content: &'a Content,
    ) -> Result<Option<(EventType, Cow<'a, EventSource>)>, NotReceived> {
        let (event_type, source) = match content {
            Content::Event(event) => (event.event_type.as_str(), Cow::Borrowed(&event.source)),
            Content::Encoded { headers, .. } => {
                let heading = Heading::read(headers).map_err(|error| unreadable(&error))?;
                let Some(heading) = heading else {
                    return Ok(None);
                };
                (heading.event_type, Cow::Owned(heading.source))
            }
        };
        if !source.shares_incarnation_with(&self.name) {
            return Ok(None);
        }
        let event_type = self.known_type(event_type)?;
        let is_wanted = self.reactor.wants().contains(&event_type);
        Ok(is_wanted.then_some((event_type, source)))
    }

    /// Whether this release knows the type of a record.
    pub fn knows_type_in(&self, headers: &[Header]) -> bool {
        let heading = Heading::read(headers).ok().flatten();
        heading.is_some_and(|heading| self.known_type(heading.event_type).is_ok())
    }

    fn known_type(&self, text: &str) -> Result<EventType, NotReceived> {
        EventType::find(text, self.known).ok_or_else(|| {
            let error = format!("this release does not know events of the type {text:?}");
            NotReceived::Hopeless(DeadLetterKind::Unknown, error)
        })
    }
}

fn unreadable(error: &innkeeper_contracts::event::DecodeError) -> NotReceived {
    NotReceived::Hopeless(DeadLetterKind::Unreadable, causes(error))
}

fn not_received(failure: Failure) -> NotReceived {
    match failure {
        Failure::Store(error) if error.is_outage() => NotReceived::Away(error),
        Failure::Store(error @ StoreError::Unknown(_)) => {
            NotReceived::Hopeless(DeadLetterKind::Unknown, causes(&error))
        }
        failure => NotReceived::Failed(causes(&failure)),
    }
}
