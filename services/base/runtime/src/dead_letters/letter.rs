//! The dead letter of a record.

use innkeeper_contracts::event::id_of;
use innkeeper_kit::log::{Header, Record};
use innkeeper_kit::store::{DeadLetter, DeadLetterKind};
use uuid::Uuid;

/// Why a record becomes a dead letter.
#[derive(Clone, Debug)]
pub struct DeadLetterReason {
    /// The kind of dead letter.
    pub kind: DeadLetterKind,
    /// The error and all its causes.
    pub error: String,
    /// How often the record was tried.
    pub tries: u32,
}

/// The dead letter of a record.
pub fn of(topic: &str, record: &Record, reason: &DeadLetterReason) -> DeadLetter {
    let (headers, payload) = (record.content.headers(), record.content.payload());
    DeadLetter {
        id: id(topic, record, &headers, &payload),
        kind: reason.kind,
        event_id: id_of(&headers),
        topic: topic.to_owned(),
        partition: record.partition,
        offset: record.offset,
        key: record.key.as_deref().map(storable),
        headers: headers.into_owned(),
        payload: payload.into_owned(),
        error: storable(&reason.error),
        tries: reason.tries,
    }
}

/// An id that follows from where the record is and from all that it holds: a record that is
/// delivered again has the same one, and another record at its place in a re-created topic has not.
fn id(topic: &str, record: &Record, headers: &[Header], payload: &[u8]) -> Uuid {
    let place = (topic, record.partition, record.offset, &record.key, headers);
    let mut bytes = serde_json::to_vec(&place).expect("texts and numbers are always JSON");
    bytes.extend_from_slice(payload);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, &bytes)
}

/// Replaces the one character that PostgreSQL cannot store:
/// <https://www.postgresql.org/docs/15/datatype-character.html>.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
