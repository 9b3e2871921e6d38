//! The columns of a view, from the platform's words to canonical ones.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::component::ViewColumn;
use innkeeper_crds::domain_service::{ColumnKind, ColumnSource, ResolvedColumn};
use innkeeper_crds::platform::Service;

use super::references::unknown_service;
use super::words::vocabulary::{Meaning, vocabulary};
use crate::refusal::Collector;

pub(super) fn columns(
    platform: &BookingPlatform,
    service: &Service,
    place: &str,
    collector: &mut Collector,
) -> Vec<ResolvedColumn> {
    let columns = service.view.iter().flat_map(|view| &view.columns);
    columns
        .enumerate()
        .map(|(index, column)| {
            let place = format!("{place}.view.columns[{index}]");
            if column.name == "id" {
                collector.refuse(
                    format!("{place}.name"),
                    "the word id already stands for the row's own id: choose another",
                );
            }
            ResolvedColumn {
                name: column.name.clone(),
                sources: sources(platform, column, &place, collector),
            }
        })
        .collect()
}

fn sources(
    platform: &BookingPlatform,
    column: &ViewColumn,
    place: &str,
    collector: &mut Collector,
) -> Vec<ColumnSource> {
    let from = column.from.iter().map(|path| ("from".to_owned(), path));
    let latest_of = column
        .latest_of
        .iter()
        .enumerate()
        .map(|(index, path)| (format!("latestOf[{index}]"), path));
    from.chain(latest_of)
        .filter_map(|(field, path)| match source(platform, path) {
            Ok(source) => Some(source),
            Err(message) => {
                collector.refuse(format!("{place}.{field}"), message);
                None
            }
        })
        .collect()
}

fn source(platform: &BookingPlatform, path: &str) -> Result<ColumnSource, String> {
    let Some((name, word)) = path.split_once('.') else {
        return Err("say SERVICE.FIELD, such as pay.status".to_owned());
    };
    let services = &platform.spec.services;
    let Some(service) = services.iter().find(|service| service.name == name) else {
        return Err(unknown_service(&platform.spec, name));
    };
    let entries = vocabulary(service);
    match entries.iter().find(|entry| entry.word == word) {
        Some(entry) => Ok(resolved(name, &entry.meaning)),
        None if entries.is_empty() => Err(format!("the service {name} has no fields of its own")),
        None => {
            let words: Vec<&str> = entries.iter().map(|entry| entry.word.as_str()).collect();
            Err(format!(
                "the service {name} has no field {word}: take one of {}",
                words.join(", ")
            ))
        }
    }
}

fn resolved(service: &str, meaning: &Meaning) -> ColumnSource {
    let mut source = ColumnSource {
        service: service.to_owned(),
        kind: ColumnKind::Id,
        field: None,
        attribute: None,
    };
    match meaning {
        Meaning::Id => {}
        Meaning::Field(field) => {
            source.kind = ColumnKind::Field;
            source.field = Some(*field);
        }
        Meaning::Attribute(name) => {
            source.kind = ColumnKind::Attribute;
            source.attribute = Some(name.clone());
        }
    }
    source
}
