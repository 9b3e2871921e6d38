//! Checks that names, paths and ports belong to one service only.

use std::collections::BTreeMap;
use std::fmt::Display;

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::platform::Service;

use crate::refusal::Collector;

pub(super) fn check(platform: &BookingPlatform, collector: &mut Collector) {
    let mut names = Taken::default();
    let mut paths = Taken::default();
    let mut ports = Taken::default();
    for (index, service) in platform.spec.services.iter().enumerate() {
        let field_path = format!("spec.services[{index}]");
        names.take(
            service.name.as_str(),
            format!("{field_path}.name"),
            "name",
            collector,
        );
        for (field, path) in all_paths(service) {
            paths.take(path, format!("{field_path}.{field}"), "path", collector);
        }
        if let Some(port) = service.dev.as_ref().and_then(|dev| dev.port) {
            ports.take(port, format!("{field_path}.dev.port"), "port", collector);
        }
    }
}

fn all_paths(service: &Service) -> impl Iterator<Item = (&'static str, &str)> {
    let aliases = service.aliases.as_ref();
    [
        ("path", service.path.as_ref()),
        (
            "aliases.create",
            aliases.and_then(|aliases| aliases.create.as_ref()),
        ),
        (
            "aliases.list",
            aliases.and_then(|aliases| aliases.list.as_ref()),
        ),
        (
            "aliases.update",
            aliases.and_then(|aliases| aliases.update.as_ref()),
        ),
    ]
    .into_iter()
    .filter_map(|(field, path)| Some((field, path?.as_str())))
}

/// What is taken, with the field path that took it first.
struct Taken<T>(BTreeMap<T, String>);

impl<T> Default for Taken<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord + Display + Copy> Taken<T> {
    fn take(&mut self, value: T, field_path: String, what: &str, collector: &mut Collector) {
        if let Some(first) = self.0.get(&value) {
            collector.refuse(
                field_path,
                format!("the {what} {value} is taken by {first}: choose another"),
            );
        } else {
            self.0.insert(value, field_path);
        }
    }
}
