//! Every word that a service's resource has, and what it means.

use std::fmt;

use innkeeper_contracts::words::Field;
use innkeeper_crds::component::{Attribute, Fields};
use innkeeper_crds::platform::Service;

/// A word of a service's resource.
pub struct Entry {
    /// The word.
    pub word: String,
    /// What it stands for.
    pub meaning: Meaning,
    /// Where the service says so.
    pub place: String,
}

/// What a word stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// The public id of the row.
    Id,
    /// A canonical field.
    Field(Field),
    /// An attribute, by the booking's name of it.
    Attribute(String),
}

impl fmt::Display for Meaning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => formatter.write_str("the row's own id"),
            Self::Field(field) => write!(formatter, "the field {}", field.name()),
            Self::Attribute(name) => write!(formatter, "the attribute {name}"),
        }
    }
}

/// Fields that a booking has whether they are named or not.
const OF_EVERY_BOOKING: [Field; 7] = [
    Field::Customer,
    Field::Item,
    Field::ItemName,
    Field::Quantity,
    Field::Amount,
    Field::Currency,
    Field::Status,
];

/// Every word of a service; none of a gateway or a view.
pub fn vocabulary(service: &Service) -> Vec<Entry> {
    let (block, fields, attributes, own): (_, _, _, &[Field]) =
        if let Some(booking) = &service.booking {
            (
                "booking",
                &booking.fields,
                &booking.attributes,
                &OF_EVERY_BOOKING,
            )
        } else if let Some(payment) = &service.payment {
            (
                "payment",
                &payment.fields,
                &payment.attributes,
                &[Field::Status],
            )
        } else if let Some(fulfillment) = &service.fulfillment {
            let (fields, attributes) = (&fulfillment.fields, &fulfillment.attributes);
            ("fulfillment", fields, attributes, &[Field::Status])
        } else {
            return Vec::new();
        };
    let id = Entry {
        word: "id".to_owned(),
        meaning: Meaning::Id,
        place: block.to_owned(),
    };
    std::iter::once(id)
        .chain(canonical(block, fields, own))
        .chain(further(block, attributes))
        .collect()
}

fn canonical(block: &str, fields: &Fields, own: &[Field]) -> Vec<Entry> {
    let word = |field: Field| {
        let unnamed = own.contains(&field).then_some(field.name());
        fields.named(field).or(unnamed)
    };
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            Some(Entry {
                word: word(field)?.to_owned(),
                meaning: Meaning::Field(field),
                place: format!("{block}.fields.{}", field.name()),
            })
        })
        .collect()
}

fn further(block: &str, attributes: &[Attribute]) -> Vec<Entry> {
    attributes
        .iter()
        .enumerate()
        .map(|(index, attribute)| Entry {
            word: attribute.name.clone(),
            meaning: Meaning::Attribute(attribute.source().to_owned()),
            place: format!("{block}.attributes[{index}].name"),
        })
        .collect()
}
