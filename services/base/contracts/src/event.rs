//! The event envelope: CloudEvents 1.0 in Kafka's binary mode, with JSON data.

mod event_type;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::settings::ServiceSettings;
use crate::snapshot::Snapshot;
use crate::words::{MAX_ATTRIBUTE_LENGTH, MAX_ATTRIBUTES, MAX_TEXT};

/// The most bytes of an event in its topic: the key, headers and payload of its record, and what
/// Kafka adds to a batch of one record. A topic's `max.message.bytes` must not be less.
pub const MAX_EVENT_BYTES: usize = {
    // In JSON a character takes up to six bytes, as in `\u001f`.
    const CHARACTER: usize = 6;
    const LONGEST_WORD: usize = 64;
    // Quotes, colon and comma around a name and its value.
    const PUNCTUATION: usize = 6;
    // Names of members, numbers, headers, the key, and Kafka's framing.
    const ALL_ELSE: usize = 4096;
    let value = MAX_ATTRIBUTE_LENGTH as usize * CHARACTER;
    let attributes = MAX_ATTRIBUTES * (LONGEST_WORD + value + PUNCTUATION);
    let texts = 3 * MAX_TEXT as usize * CHARACTER;
    let event_and_status = 2 * LONGEST_WORD * CHARACTER;
    attributes + texts + event_and_status + ALL_ELSE
};

pub use event_type::EventType;

/// The data of an event, which is the JSON payload of its record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventData {
    /// Public id of the row that raised the event.
    pub id: i64,
    /// The event's name in the platform's words.
    pub event: String,
    /// The label of the row's new state.
    pub status: String,
    /// Whether the platform has labels for other states of this component, but none for this one,
    /// so that `status` is its canonical name. Views leave it out where they show the latest status
    /// of several services.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlabelled: bool,
    /// The saga's logical clock (Lamport): one more than the highest that the writer had seen.
    pub clock: i64,
    /// What is known of the booking so far.
    pub snapshot: Snapshot,
}

/// One event with its envelope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Unique id, by which consumers recognize a repeated event.
    pub id: Uuid,
    /// The service that raised the event.
    pub source: EventSource,
    /// The canonical, versioned type, by which consumers choose what they handle.
    pub event_type: EventType,
    /// When the row entered its new state, by the database's time.
    pub time: Timestamp,
    /// Identifies the saga; also the key of the record.
    pub correlation_id: Uuid,
    /// Id of the event that caused this one; `None` if a request did.
    pub causation_id: Option<Uuid>,
    /// The saga's logical clock as the row had it: it grows from each event of a row to the next.
    pub sequence: i64,
    /// W3C trace context of what caused the event.
    pub traceparent: Option<Arc<str>>,
    /// The state that the row entered and the booking's data, as the record's JSON payload.
    pub data: EventData,
}

/// The name and the value of a header.
pub type Header = (Cow<'static, str>, String);

/// What must be known of a record before anything else of it is read: whose it is, and whether this
/// release can read it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heading<'a> {
    /// The text form of the event's type, which this release need not know.
    pub event_type: &'a str,
    /// The service that raised the event.
    pub source: EventSource,
}

/// The service that raised an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventSource {
    /// Namespace of the platform.
    pub namespace: String,
    /// Name of the platform.
    pub platform: String,
    /// Incarnation of the platform, from 1: the same name with a new number starts afresh.
    pub incarnation: u32,
    /// Name of the service.
    pub service: String,
}

/// Why a record cannot be read as an event. Such a record becomes a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A required header is missing.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// A header has a value that cannot be parsed.
    #[error("header {name} cannot be read: {value:?}")]
    Header {
        /// Name of the header.
        name: &'static str,
        /// The value that cannot be parsed.
        value: String,
    },
    /// The payload is not valid [`EventData`].
    #[error("data cannot be read")]
    Data(#[source] serde_json::Error),
}

impl EventSource {
    /// The source that a service's events carry.
    pub fn of(settings: &ServiceSettings) -> Self {
        Self {
            namespace: settings.namespace.clone(),
            platform: settings.platform.clone(),
            incarnation: settings.incarnation,
            service: settings.service.clone(),
        }
    }

    /// Whether both services belong to the same incarnation of the same platform. A topic may still
    /// hold events of earlier incarnations.
    pub fn shares_incarnation_with(&self, other: &Self) -> bool {
        (&self.namespace, &self.platform, self.incarnation)
            == (&other.namespace, &other.platform, other.incarnation)
    }

    /// The text form, as in `ce_source`: `/namespace/platform/incarnation/service`.
    pub fn to_text(&self) -> String {
        format!(
            "/{}/{}/{}/{}",
            self.namespace, self.platform, self.incarnation, self.service
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('/')?.split('/');
        let source = Self {
            namespace: parts.next()?.to_owned(),
            platform: parts.next()?.to_owned(),
            incarnation: parts.next()?.parse().ok()?,
            service: parts.next()?.to_owned(),
        };
        parts.next().is_none().then_some(source)
    }
}

impl Event {
    /// The headers of the event's record, in CloudEvents' binary mode for Kafka
    /// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>).
    pub fn headers(&self) -> Vec<Header> {
        let saga = self.correlation_id.to_string();
        let always = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_source", self.source.to_text()),
            ("ce_type", self.event_type.as_str().to_owned()),
            ("ce_time", self.time.to_string()),
            ("ce_subject", self.data.id.to_string()),
            ("ce_partitionkey", saga.clone()),
            ("ce_correlationid", saga),
            ("ce_sequence", self.sequence.to_string()),
            ("content-type", "application/json".to_owned()),
        ];
        let causation = self.causation_id.as_ref().map(Uuid::to_string);
        let causation = causation.map(|id| ("ce_causationid", id));
        let trace = self.traceparent.as_deref().map(str::to_owned);
        let trace = trace.map(|it| ("ce_traceparent", it));
        let headers = always.into_iter().chain(causation).chain(trace);
        headers.map(|(name, value)| (name.into(), value)).collect()
    }

    /// The payload of the event's record: its data as JSON text.
    pub fn payload(&self) -> String {
        serde_json::to_string(&self.data).expect("event data has only string keys")
    }

    /// Reads the event of a record whose heading was read, and whose type is known.
    pub fn decode(
        event_type: EventType,
        source: EventSource,
        headers: &[Header],
        payload: &[u8],
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            id: parsed(headers, "ce_id")?,
            source,
            event_type,
            time: parsed(headers, "ce_time")?,
            correlation_id: parsed(headers, "ce_correlationid")?,
            causation_id: optional(headers, "ce_causationid").and_then(|id| id.parse().ok()),
            sequence: parsed(headers, "ce_sequence")?,
            traceparent: optional(headers, "ce_traceparent").map(Arc::from),
            data: serde_json::from_slice(payload).map_err(DecodeError::Data)?,
        })
    }
}

impl<'a> Heading<'a> {
    /// Reads the heading in the headers of a record; `None` for an event of another system, which
    /// has neither a type nor a source of ours.
    pub fn read(headers: &'a [Header]) -> Result<Option<Self>, DecodeError> {
        let event_type = required(headers, "ce_type")?;
        match source(headers) {
            Ok(source) => Ok(Some(Self { event_type, source })),
            Err(_) if !event_type.starts_with("dev.innkeeper.") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The id of the event in a record; `None` if it cannot be read.
pub fn id_of(headers: &[Header]) -> Option<Uuid> {
    optional(headers, "ce_id")?.parse().ok()
}

fn optional<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(header, _)| header == name)
        .map(|(_, value)| value.as_str())
}

fn required<'a>(headers: &'a [Header], name: &'static str) -> Result<&'a str, DecodeError> {
    optional(headers, name).ok_or(DecodeError::Missing(name))
}

fn parsed<T: std::str::FromStr>(headers: &[Header], name: &'static str) -> Result<T, DecodeError> {
    let value = required(headers, name)?;
    value.parse().map_err(|_| DecodeError::Header {
        name,
        value: value.to_owned(),
    })
}

fn source(headers: &[Header]) -> Result<EventSource, DecodeError> {
    let value = required(headers, "ce_source")?;
    EventSource::parse(value).ok_or_else(|| DecodeError::Header {
        name: "ce_source",
        value: value.to_owned(),
    })
}
