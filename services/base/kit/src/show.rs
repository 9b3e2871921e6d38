//! Shows entities in the platform's words.

use innkeeper_contracts::{Field, Snapshot, Words};
use serde_json::{Map, Value};

use crate::entity::{Entity, State};

/// Which canonical fields a component shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Every field that a client may send and that has a value, as a booking does.
    All,
    /// The fields that the component's words declare.
    Declared,
}

/// The fields of an entity, in order: its id, canonical fields, attributes, and the label of its
/// state.
pub fn entity<S: State>(words: &Words, shown: Shown, entity: &Entity<S>) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), entity.id.into());
    for field in Field::ALL {
        let wanted =
            shown == Shown::All && is_said_by_clients(field) || words.fields.contains_key(&field);
        if wanted && let Some(value) = value(&entity.snapshot, field) {
            fields.insert(words.field(field).to_owned(), value);
        }
    }
    for attribute in &words.attributes {
        if let Some(value) = entity.snapshot.attributes.get(attribute.source()) {
            fields.insert(attribute.name.clone(), value.clone());
        }
    }
    fields.insert(
        words.field(Field::Status).to_owned(),
        words.label(entity.state.name()).into(),
    );
    fields
}

const fn is_said_by_clients(field: Field) -> bool {
    !matches!(
        field,
        Field::Booking | Field::Payment | Field::Fulfillment | Field::Currency
    )
}

/// The value of a canonical field; `None` if the snapshot does not have it. The status is never in
/// the snapshot.
pub fn value(snapshot: &Snapshot, field: Field) -> Option<Value> {
    match field {
        Field::Booking => snapshot.ids.booking.map(Value::from),
        Field::Payment => snapshot.ids.payment.map(Value::from),
        Field::Fulfillment => snapshot.ids.fulfillment.map(Value::from),
        Field::Customer => snapshot.customer.as_deref().map(Value::from),
        Field::Item => snapshot.item.as_deref().map(Value::from),
        Field::ItemName => snapshot.item_name.as_deref().map(Value::from),
        Field::Quantity => snapshot.quantity.map(Value::from),
        Field::Amount => snapshot.amount.map(Value::from),
        Field::Currency => snapshot.currency.as_deref().map(Value::from),
        Field::Status => None,
    }
}
