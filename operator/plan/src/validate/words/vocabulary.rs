//! Every word of a service's resource, with its meaning.

use innkeeper_contracts::settings::ColumnValue;
use innkeeper_contracts::words::Field;
use innkeeper_crds::component::{Attribute, Fields};
use innkeeper_crds::platform::Service;

/// A word of a service's resource.
pub struct Entry {
    pub word: String,
    /// The field or attribute that it stands for.
    pub meaning: ColumnValue,
    /// The path of the field in which the service gives the word.
    pub field_path: String,
}

/// What a word stands for, for messages.
pub fn described(meaning: &ColumnValue) -> String {
    match meaning {
        ColumnValue::Id => "the row's own id".to_owned(),
        ColumnValue::Field(field) => format!("the field {}", field.name()),
        ColumnValue::Attribute(name) => format!("the attribute {name}"),
    }
}

/// Fields that every booking has, whether or not the platform names them.
const OF_EVERY_BOOKING: [Field; 7] = [
    Field::Customer,
    Field::Item,
    Field::ItemName,
    Field::Quantity,
    Field::Amount,
    Field::Currency,
    Field::Status,
];

/// Every word of a service; empty for a gateway or a view.
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
        meaning: ColumnValue::Id,
        field_path: block.to_owned(),
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
                meaning: ColumnValue::Field(field),
                field_path: format!("{block}.fields.{}", field.name()),
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
            meaning: ColumnValue::Attribute(attribute.source().to_owned()),
            field_path: format!("{block}.attributes[{index}].name"),
        })
        .collect()
}
