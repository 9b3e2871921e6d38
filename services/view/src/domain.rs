//! What a row of a view shows, and when an event changes it.

use innkeeper_contracts::settings::{self, Column, ColumnSource, ColumnValue};
use innkeeper_contracts::{Event, Field};
use innkeeper_kit::show;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A value, with what decides whether another value is later.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Cell {
    value: Value,
    clock: i64,
    /// Index of its source in the column's list; of two values with the same clock the later source
    /// counts. Stored rows have it under this name.
    #[serde(rename = "place", default, skip_serializing_if = "is_zero")]
    source_index: usize,
    /// Whether the booking has ended; such a value stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(index: &usize) -> bool {
    *index == 0
}

impl Cell {
    /// Whether this value replaces another: the latest by the clock does, except that the end of a
    /// booking stays.
    fn replaces(&self, other: &Self) -> bool {
        match (self.last, other.last) {
            (true, false) => true,
            (false, true) => false,
            _ => (self.clock, self.source_index) > (other.clock, other.source_index),
        }
    }
}

/// The cells of a row, by the name of their column.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Cells(LiteMap<String, Cell>);

impl Cells {
    /// Takes over what an event says; returns whether that changes any cell.
    pub fn update(&mut self, view: &settings::View, event: &Event) -> bool {
        let mut has_changed = false;
        for column in &view.columns {
            let Some(cell) = cell(column, event) else {
                continue;
            };
            match self.0.get_mut(&column.name) {
                None => {
                    self.0.insert(column.name.clone(), cell);
                }
                Some(present) if cell.replaces(present) => *present = cell,
                Some(_) => continue,
            }
            has_changed = true;
        }
        has_changed
    }

    /// The fields of a row: its id, then its columns in their order. Unknown values are `null`.
    pub fn show(&self, view: &settings::View, id: i64) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), id.into());
        for column in &view.columns {
            let value = self
                .0
                .get(&column.name)
                .map_or(Value::Null, |cell| cell.value.clone());
            fields.insert(column.name.clone(), value);
        }
        fields
    }
}

/// The cell that an event gives to a column; `None` if it says nothing about it. Where a column
/// shows the latest status of several services, a state without a label says nothing, unless it
/// ends the saga.
fn cell(column: &Column, event: &Event) -> Option<Cell> {
    let mut sources = column.sources.iter().enumerate();
    let (index, source) = sources.find(|(_, source)| source.service == event.source.service)?;
    let several = column.sources.len() > 1;
    let last = several && event.event_type.ends_saga();
    let is_status = source.value == ColumnValue::Field(Field::Status);
    if several && is_status && event.data.unlabelled && !last {
        return None;
    }
    Some(Cell {
        value: value(source, event)?,
        clock: event.data.clock,
        source_index: index,
        last,
    })
}

fn value(source: &ColumnSource, event: &Event) -> Option<Value> {
    match &source.value {
        ColumnValue::Id => Some(event.data.id.into()),
        ColumnValue::Field(Field::Status) => Some(event.data.status.clone().into()),
        ColumnValue::Field(field) => show::value(&event.data.snapshot, *field),
        ColumnValue::Attribute(name) => event.data.snapshot.attributes.get(name).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_contracts::event::EventSource;
    use innkeeper_contracts::{EventData, EventType, Snapshot};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn view() -> settings::View {
        serde_json::from_value(json!({ "columns": [
            { "name": "payId", "sources": [{ "service": "pay", "value": "id" }] },
            { "name": "userName", "sources": [{ "service": "reservation", "value": { "field": "customer" } }] },
            { "name": "period", "sources": [{ "service": "reservation", "value": { "attribute": "period" } }] },
            { "name": "status", "sources": [
                { "service": "reservation", "value": { "field": "status" } },
                { "service": "pay", "value": { "field": "status" } },
            ] },
        ] }))
        .unwrap()
    }

    fn event(service: &str, event_type: EventType, clock: i64, status: &str) -> Event {
        let snapshot = Snapshot {
            customer: Some("kim".into()),
            attributes: [("period".to_owned(), json!(3))].into(),
            ..Snapshot::default()
        };
        Event {
            id: Uuid::nil(),
            source: EventSource {
                namespace: "default".to_owned(),
                platform: "rentcar".to_owned(),
                incarnation: 1,
                service: service.to_owned(),
            },
            event_type,
            time: jiff::Timestamp::UNIX_EPOCH,
            correlation_id: Uuid::nil(),
            causation_id: None,
            sequence: 1,
            traceparent: None,
            data: EventData {
                id: 7,
                event: String::new(),
                status: status.to_owned(),
                unlabelled: false,
                clock,
                snapshot,
            },
        }
    }

    fn after(events: &[Event]) -> Value {
        let mut cells = Cells::default();
        for event in events {
            cells.update(&view(), event);
        }
        Value::Object(cells.show(&view(), 1))
    }

    #[test]
    fn a_row_begins_with_whichever_event_comes_first() {
        let authorized = event("pay", EventType::PAYMENT_AUTHORIZED, 2, "Reserved");
        let expected =
            json!({ "id": 1, "payId": 7, "userName": null, "period": null, "status": "Reserved" });
        assert_eq!(after(&[authorized]), expected);
    }

    #[test]
    fn every_order_of_events_ends_with_the_same_row() {
        let saga = [
            event("pay", EventType::PAYMENT_AUTHORIZED, 2, "Reserved"),
            event("reservation", EventType::BOOKING_CONFIRMED, 3, "Reserved"),
            event("pay", EventType::PAYMENT_CAPTURED, 4, "payed"),
        ];
        let expected =
            json!({ "id": 1, "payId": 7, "userName": "kim", "period": 3, "status": "payed" });
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            assert_eq!(
                after(&order.map(|index| saga[index].clone())),
                expected,
                "{order:?}"
            );
        }
    }

    #[test]
    fn on_a_tie_of_clocks_the_later_in_the_list_counts() {
        let confirmed = event("reservation", EventType::BOOKING_CONFIRMED, 3, "Reserved");
        let captured = event("pay", EventType::PAYMENT_CAPTURED, 3, "payed");
        for order in [[confirmed.clone(), captured.clone()], [captured, confirmed]] {
            assert_eq!(after(&order)["status"], "payed");
        }
    }

    #[test]
    fn the_end_of_a_booking_stays_whatever_comes_later() {
        let ends = [
            (EventType::BOOKING_CANCELLED, "canceled"),
            (EventType::BOOKING_REJECTED, "rejected"),
            (EventType::BOOKING_EXPIRED, "expired"),
        ];
        for (event_type, label) in ends {
            let ended = event("reservation", event_type, 5, label);
            let later = event("pay", EventType::PAYMENT_CAPTURED, 9, "payed");
            assert_eq!(after(&[ended.clone(), later.clone()])["status"], label);
            assert_eq!(after(&[later, ended])["status"], label);
        }
    }

    fn unlabelled(service: &str, event_type: EventType, clock: i64, status: &str) -> Event {
        let mut event = event(service, event_type, clock, status);
        event.data.unlabelled = true;
        event
    }

    #[test]
    fn a_state_without_a_label_is_not_the_latest_of_several() {
        let delivered = event("pay", EventType::PAYMENT_CAPTURED, 4, "payed");
        let completed = unlabelled("reservation", EventType::BOOKING_COMPLETED, 5, "completed");
        let shown = after(&[delivered, completed]);
        assert_eq!(shown["status"], "payed");
        assert_eq!(shown["userName"], "kim", "its other fields are shown");
    }

    #[test]
    fn the_end_of_a_booking_is_shown_although_it_has_no_label() {
        let expired = unlabelled("reservation", EventType::BOOKING_EXPIRED, 5, "expired");
        let later = event("pay", EventType::PAYMENT_CAPTURED, 9, "payed");
        assert_eq!(after(&[expired, later])["status"], "expired");
    }

    #[test]
    fn an_event_that_says_nothing_new_changes_nothing() {
        let confirmed = event("reservation", EventType::BOOKING_CONFIRMED, 3, "Reserved");
        let stranger = event("stranger", EventType::BOOKING_CONFIRMED, 9, "x");
        let mut cells = Cells::default();
        assert!(cells.update(&view(), &confirmed));
        let before = cells.clone();
        for event in [&confirmed, &stranger] {
            assert!(!cells.update(&view(), event));
            assert_eq!(cells, before);
        }
    }
}
