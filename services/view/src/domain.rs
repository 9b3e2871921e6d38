//! What a row of a view shows, and when an event changes it.

use std::collections::BTreeMap;

use innkeeper_contracts::settings::{self, Column, ColumnSource, ColumnValue};
use innkeeper_contracts::{Event, EventType, Field};
use innkeeper_kit::show;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A value with what tells whether another one is later.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Cell {
    value: Value,
    clock: i64,
    /// Place of its source in the column's list; the later one counts on a tie of clocks.
    #[serde(default, skip_serializing_if = "is_zero")]
    place: usize,
    /// Whether the booking ended: such a value stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(place: &usize) -> bool {
    *place == 0
}

impl Cell {
    /// Whether this value takes the place of another: the latest by the clock does, except that the end of a booking stays.
    fn replaces(&self, other: &Self) -> bool {
        match (self.last, other.last) {
            (true, false) => true,
            (false, true) => false,
            _ => (self.clock, self.place) > (other.clock, other.place),
        }
    }
}

/// The cells of a row, by column.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Cells(BTreeMap<String, Cell>);

impl Cells {
    /// The cells after an event; `None` when it changes none of them.
    pub fn updated(&self, view: &settings::View, event: &Event) -> Option<Self> {
        let mut cells = self.clone();
        for column in &view.columns {
            if let Some(cell) = cell(column, event)
                && cells
                    .0
                    .get(&column.name)
                    .is_none_or(|present| cell.replaces(present))
            {
                cells.0.insert(column.name.clone(), cell);
            }
        }
        (cells != *self).then_some(cells)
    }

    /// The fields of a row: its id, then its columns in their order; what is not known yet is `null`.
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

/// What an event says about a column, if anything.
fn cell(column: &Column, event: &Event) -> Option<Cell> {
    let mut sources = column.sources.iter().enumerate();
    let (place, source) = sources.find(|(_, source)| source.service == event.source.service)?;
    let value = value(source, event)?;
    let several = column.sources.len() > 1;
    Some(Cell {
        value,
        clock: event.data.clock,
        place,
        last: several && ends(event.event_type),
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

/// Whether a booking ended undelivered.
const fn ends(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::BookingCancelled | EventType::BookingRejected | EventType::BookingExpired
    )
}
