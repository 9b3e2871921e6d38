//! Checks the words of each component: every field has one word, and every word has a field.

pub(super) mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use innkeeper_contracts::settings::ColumnValue;
use innkeeper_contracts::words::Field;
use innkeeper_crds::BookingPlatformSpec;
use innkeeper_crds::component::Attribute;
use innkeeper_crds::platform::Service;

use crate::refusal::Collector;
use vocabulary::{Entry, described, vocabulary};

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    for (index, service) in spec.services.iter().enumerate() {
        let field_path = format!("spec.services[{index}]");
        check_own_id(service, &field_path, collector);
        check_one_word_each(service, &field_path, collector);
        check_required(spec, service, &field_path, collector);
        check_sources(spec, service, &field_path, collector);
    }
}

/// The id of a resource is called `id` and has no second name.
fn check_own_id(service: &Service, field_path: &str, collector: &mut Collector) {
    let booking = service.booking.as_ref();
    let payment = service.payment.as_ref();
    let fulfillment = service.fulfillment.as_ref();
    let second_names = [
        (
            "booking",
            booking.and_then(|block| block.fields.booking.as_ref()),
        ),
        (
            "payment",
            payment.and_then(|block| block.fields.payment.as_ref()),
        ),
        (
            "fulfillment",
            fulfillment.and_then(|block| block.fields.fulfillment.as_ref()),
        ),
    ];
    for (block, name) in second_names {
        if name.is_some() {
            collector.refuse(
                format!("{field_path}.{block}.fields.{block}"),
                "the resource's own id is always called id: remove this name",
            );
        }
    }
}

fn check_one_word_each(service: &Service, field_path: &str, collector: &mut Collector) {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for entry in vocabulary(service) {
        let at = format!("{field_path}.{}", entry.field_path);
        if let Some(first) = taken.get(&entry.word) {
            let word = &entry.word;
            collector.refuse(
                at,
                format!("the word {word} already stands for {first}: give one of them another"),
            );
        } else {
            taken.insert(entry.word, described(&entry.meaning));
        }
    }
}

fn check_required(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    let Some(booking) = &service.booking else {
        return;
    };
    let has_currency = spec.currency.is_some();
    let (read, unread): (Vec<Entry>, Vec<Entry>) = vocabulary(service)
        .into_iter()
        .partition(|entry| is_read(&entry.meaning, has_currency));
    for (index, name) in booking.required.iter().enumerate() {
        if read.iter().any(|entry| entry.word == *name) {
            continue;
        }
        let unread = unread.iter().find(|entry| entry.word == *name);
        collector.refuse(
            format!("{field_path}.booking.required[{index}]"),
            unread_name(name, unread.map(|entry| &entry.meaning), &read),
        );
    }
}

fn unread_name(name: &str, meaning: Option<&ColumnValue>, read: &[Entry]) -> String {
    if meaning == Some(&ColumnValue::Field(Field::Currency)) {
        return format!(
            "the platform has no currency, so that a request cannot have one either: set spec.currency, or remove {name}"
        );
    }
    let words: Vec<&str> = read.iter().map(|entry| entry.word.as_str()).collect();
    format!("there is no field {name}: name one of {}", words.join(", "))
}

/// The fields that a payment or fulfillment takes from a booking must exist in the booking.
fn check_sources(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    let offered: BTreeSet<&str> = spec
        .services
        .iter()
        .filter_map(|other| other.booking.as_ref())
        .flat_map(|booking| &booking.attributes)
        .map(Attribute::source)
        .collect();
    for (block, attributes) in taken_attributes(service) {
        for (index, attribute) in attributes.iter().enumerate() {
            if !offered.contains(attribute.source()) {
                let field = if attribute.from.is_some() {
                    "from"
                } else {
                    "name"
                };
                collector.refuse(
                    format!("{field_path}.{block}.attributes[{index}].{field}"),
                    unknown_attribute(attribute.source(), &offered),
                );
            }
        }
    }
}

fn taken_attributes(service: &Service) -> impl Iterator<Item = (&'static str, &[Attribute])> {
    let payment = service.payment.as_ref().map(|block| &block.attributes[..]);
    let fulfillment = service
        .fulfillment
        .as_ref()
        .map(|block| &block.attributes[..]);
    [("payment", payment), ("fulfillment", fulfillment)]
        .into_iter()
        .filter_map(|(block, attributes)| Some((block, attributes?)))
}

fn unknown_attribute(name: &str, offered: &BTreeSet<&str>) -> String {
    let offered: Vec<&str> = offered.iter().copied().collect();
    format!(
        "no booking has an attribute {name}: take one of {} with from",
        if offered.is_empty() {
            "those that you add to a booking".to_owned()
        } else {
            offered.join(", ")
        }
    )
}

/// Whether a booking reads the field with this word from a request.
const fn is_read(meaning: &ColumnValue, has_currency: bool) -> bool {
    match meaning {
        ColumnValue::Id => false,
        ColumnValue::Attribute(_) => true,
        ColumnValue::Field(Field::Currency) => has_currency,
        ColumnValue::Field(field) => !matches!(
            field,
            Field::Booking | Field::Payment | Field::Fulfillment | Field::Status
        ),
    }
}
