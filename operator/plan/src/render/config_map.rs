//! The ConfigMaps of a service. Each one is immutable, and its name contains the hash of its
//! content. So a change creates another ConfigMap and rolls the pods, while an old pod that
//! restarts still finds its own.

use std::collections::BTreeMap;

use innkeeper_crds::DomainService;
use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata::{metadata, name};
use crate::names;

/// Key of the settings, which becomes the name of the file.
const SETTINGS_KEY: &str = "settings.json";

/// The ConfigMaps of a service.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConfigMaps {
    /// The settings of the service's process, as a file.
    pub settings: ConfigMap,
    /// The user's environment variables, if there are any.
    pub environment: Option<ConfigMap>,
    /// The user's files, if there are any.
    pub files: Option<ConfigMap>,
}

impl ConfigMaps {
    /// The ConfigMaps that a service needs now.
    pub(super) fn of(service: &DomainService) -> Self {
        let some = |data: BTreeMap<_, _>, name: NameByContent| {
            (!data.is_empty()).then(|| config_map(service, data, name))
        };
        let workload = &service.spec.workload;
        Self {
            settings: settings(service),
            environment: some(workload.environment(), names::configuration_config_map),
            files: some(workload.files(), names::files_config_map),
        }
    }

    /// Every ConfigMap of the service.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ConfigMap> {
        let own = [&self.environment, &self.files];
        std::iter::once(&self.settings).chain(own.into_iter().flatten())
    }
}

fn settings(service: &DomainService) -> ConfigMap {
    let settings = &service.spec.settings;
    let text = serde_json::to_string_pretty(settings).expect("settings are plain data");
    let data = BTreeMap::from([(SETTINGS_KEY.to_owned(), text)]);
    config_map(service, data, names::settings_config_map)
}

/// A function that names the ConfigMap of a service by its content.
type NameByContent = fn(&str, &BTreeMap<String, String>) -> String;

fn config_map(
    service: &DomainService,
    data: BTreeMap<String, String>,
    name_by_content: NameByContent,
) -> ConfigMap {
    ConfigMap {
        metadata: metadata(service, name_by_content(&name(service), &data)),
        data: Some(data),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}
