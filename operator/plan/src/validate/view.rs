//! Translates the columns of a view from the platform's words to canonical names.

use innkeeper_contracts::settings::{Column, ColumnSource};
use innkeeper_crds::BookingPlatform;
use innkeeper_crds::component::ViewColumn;
use innkeeper_crds::platform::Service;

use super::references::unknown_service;
use super::words::vocabulary::vocabulary;
use crate::refusal::Collector;

pub(super) fn columns(
    platform: &BookingPlatform,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) -> Vec<Column> {
    let columns = service.view.iter().flat_map(|view| &view.columns);
    columns
        .enumerate()
        .map(|(index, column)| {
            let field_path = format!("{field_path}.view.columns[{index}]");
            if column.name == "id" {
                collector.refuse(
                    format!("{field_path}.name"),
                    "the word id already stands for the row's own id: choose another",
                );
            }
            Column {
                name: column.name.clone(),
                sources: sources(platform, column, &field_path, collector),
            }
        })
        .collect()
}

fn sources(
    platform: &BookingPlatform,
    column: &ViewColumn,
    field_path: &str,
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
                collector.refuse(format!("{field_path}.{field}"), message);
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
        Some(entry) => Ok(ColumnSource {
            service: name.to_owned(),
            value: entry.meaning.clone(),
        }),
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
