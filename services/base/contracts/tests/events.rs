//! The records of events, as every service of every release must write and read them.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use innkeeper_contracts::event::{DecodeError, EventSource, Header, Heading, MAX_EVENT_BYTES};
use innkeeper_contracts::words::{MAX_ATTRIBUTE_LENGTH, MAX_ATTRIBUTES, MAX_TEXT};
use innkeeper_contracts::{Event, EventData, EventType, PublicIds, Snapshot};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The name of the optional headers, without which a record is still an event.
const OPTIONAL: [&str; 2] = ["ce_causationid", "ce_traceparent"];

/// The headers that are for others: what we read is elsewhere in the record.
const FOR_OTHERS: [&str; 4] = [
    "ce_specversion",
    "ce_subject",
    "ce_partitionkey",
    "content-type",
];

fn snapshot() -> Snapshot {
    Snapshot {
        customer: Some("kim".into()),
        item: Some("7".into()),
        item_name: Some("Ioniq 5".into()),
        quantity: Some(1),
        amount: Some(50_000),
        currency: Some("KRW".into()),
        attributes: [
            ("period".to_owned(), json!(3)),
            ("userHp".to_owned(), json!("010-1234-5678")),
        ]
        .into(),
        ids: PublicIds {
            booking: Some(1),
            payment: Some(2),
            fulfillment: Some(3),
        },
        unpaid: false,
    }
}

/// An event with everything that an event can have.
fn event(event_type: EventType) -> Event {
    Event {
        id: Uuid::from_u128(1),
        source: EventSource {
            namespace: "default".to_owned(),
            platform: "rentcar".to_owned(),
            incarnation: 1,
            service: "reservation".to_owned(),
        },
        event_type,
        time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        correlation_id: Uuid::from_u128(2),
        causation_id: Some(Uuid::from_u128(3)),
        sequence: 4,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        data: EventData {
            id: 1,
            event: "Reserved".to_owned(),
            status: "reserved".to_owned(),
            unlabelled: false,
            clock: 5,
            snapshot: snapshot(),
        },
    }
}

/// An event with no more than an event must have.
fn bare(event_type: EventType) -> Event {
    let mut event = event(event_type);
    event.causation_id = None;
    event.traceparent = None;
    event.data.snapshot = Snapshot::default();
    event
}

/// An event about a state for which the platform has no label.
fn unlabelled(event_type: EventType) -> Event {
    let mut event = event(event_type);
    event.data.unlabelled = true;
    event
}

fn record(event: &Event) -> Value {
    let headers = event.headers().into_iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    json!({ "headers": headers, "payload": event.data })
}

fn payload(event: &Event) -> Vec<u8> {
    serde_json::to_vec(&event.data).unwrap()
}

/// The headers of an event without one of them.
fn without(event: &Event, missing: &str) -> Vec<Header> {
    let mut headers = event.headers();
    headers.retain(|(name, _)| name != missing);
    headers
}

fn decoded(headers: &[Header], payload: &[u8]) -> Result<Event, DecodeError> {
    let heading = Heading::read(headers)?.unwrap();
    let event_type = EventType::find(heading.event_type, EventType::KNOWN).unwrap();
    Event::decode(event_type, heading.source, headers, payload)
}

#[test]
fn a_record_of_each_type_is_as_it_always_was() {
    let mut records: Vec<Value> = EventType::KNOWN
        .iter()
        .map(|kind| record(&event(*kind)))
        .collect();
    records.push(record(&bare(EventType::BOOKING_CONFIRMED)));
    records.push(record(&unlabelled(EventType::BOOKING_COMPLETED)));
    insta::assert_json_snapshot!("records", records);
}

#[test]
fn a_record_of_each_type_is_read_as_the_event_that_was_written() {
    for event_type in EventType::KNOWN.iter().copied() {
        for event in [event(event_type), bare(event_type), unlabelled(event_type)] {
            let decoded = decoded(&event.headers(), &payload(&event)).unwrap();
            assert_eq!(decoded, event);
        }
    }
}

/// An event in which everything is as long as a platform can make it.
fn largest() -> Event {
    let text = |length: u32| "\u{1f}".repeat(length as usize);
    let attributes = (0..MAX_ATTRIBUTES).map(|number| {
        let name = format!("a{number:062}");
        (name, text(MAX_ATTRIBUTE_LENGTH).into())
    });
    let mut event = event(EventType::FULFILLMENT_CANCELLED);
    event.source = EventSource {
        namespace: "n".repeat(63),
        platform: "p".repeat(63),
        incarnation: u32::MAX,
        service: "s".repeat(63),
    };
    event.sequence = i64::MAX;
    event.data = EventData {
        id: i64::MIN,
        event: text(64),
        status: text(64),
        unlabelled: true,
        clock: i64::MIN,
        snapshot: Snapshot {
            customer: Some(text(MAX_TEXT).into()),
            item: Some(text(MAX_TEXT).into()),
            item_name: Some(text(MAX_TEXT).into()),
            quantity: Some(i64::MIN),
            amount: Some(i64::MIN),
            currency: Some("KRW".into()),
            attributes: attributes.collect(),
            ids: PublicIds {
                booking: Some(i64::MIN),
                payment: Some(i64::MIN),
                fulfillment: Some(i64::MIN),
            },
            unpaid: true,
        },
    };
    event
}

#[test]
fn the_largest_event_is_within_the_limit_with_room_for_the_framing_of_kafka() {
    // A batch begins with 61 bytes; a record and each of its headers have a few lengths.
    const FRAMING: usize = 61 + 40 + 16 * 10;
    let event = largest();
    let headers = event.headers();
    let headers: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let key = event.correlation_id.to_string().len();
    let bytes = key + headers + payload(&event).len() + FRAMING;
    assert!(bytes <= MAX_EVENT_BYTES, "{bytes}");
    assert!(bytes > MAX_EVENT_BYTES - 4096, "{bytes}");
}

#[test]
fn an_event_of_another_system_is_none_of_ours_and_no_error() {
    let event = event(EventType::BOOKING_CONFIRMED);
    let from_elsewhere = |event_type: &str| {
        let mut headers = without(&event, "ce_type");
        headers.retain(|(name, _)| name != "ce_source");
        headers.push(("ce_type".into(), event_type.to_owned()));
        headers.push(("ce_source".into(), "https://crm.example".to_owned()));
        headers
    };
    let foreign = from_elsewhere("com.example.other");
    assert!(Heading::read(&foreign).unwrap().is_none());
    let broken = from_elsewhere("dev.innkeeper.booking.confirmed.v1");
    assert!(Heading::read(&broken).is_err());
}

#[test]
fn the_heading_of_a_record_is_read_whatever_its_type_and_payload_are() {
    let event = event(EventType::BOOKING_CONFIRMED);
    for other in [
        "com.example.other",
        "dev.innkeeper.booking.confirmed.v2",
        "",
    ] {
        let mut headers = without(&event, "ce_type");
        headers.push(("ce_type".into(), other.to_owned()));
        let heading = Heading::read(&headers).unwrap().unwrap();
        assert_eq!(
            (heading.event_type, &heading.source),
            (other, &event.source)
        );
        assert_eq!(EventType::find(other, EventType::KNOWN), None);
    }
}

#[test]
fn a_missing_header_is_named() {
    let event = event(EventType::BOOKING_CONFIRMED);
    for (name, _) in event.headers() {
        let decoded = decoded(&without(&event, &name), &payload(&event));
        if OPTIONAL.contains(&&*name) || FOR_OTHERS.contains(&&*name) {
            assert!(decoded.is_ok(), "{name}: {decoded:?}");
            continue;
        }
        let error = decoded.unwrap_err();
        assert!(
            matches!(error, DecodeError::Missing(missing) if missing == name),
            "{error:?}"
        );
        assert_eq!(error.to_string(), format!("header {name} is missing"));
    }
}

#[test]
fn a_header_that_cannot_be_read_is_named_with_what_it_holds() {
    let event = event(EventType::BOOKING_CONFIRMED);
    for (wrong, value) in [
        ("ce_id", "1"),
        ("ce_source", "/default/rentcar/first/reservation"),
        ("ce_source", "/default/rentcar/1/reservation/more"),
        ("ce_time", "yesterday"),
        ("ce_correlationid", ""),
        ("ce_sequence", "last"),
    ] {
        let mut headers = without(&event, wrong);
        headers.push((wrong.into(), value.to_owned()));
        let error = decoded(&headers, &payload(&event)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("header {wrong} cannot be read: {value:?}")
        );
    }
}
