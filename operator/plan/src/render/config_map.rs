//! The ConfigMaps of a service. Each is immutable and named by its content: a change makes another one, and rolls the
//! pods that name it; an old pod that restarts finds its own.

use std::collections::BTreeMap;

use innkeeper_crds::DomainService;
use innkeeper_crds::workload::Workload;
use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata::{metadata, name};
use crate::names;

/// The key, which is the file's name, of the settings.
const SETTINGS_KEY: &str = "settings.json";

/// The settings file.
pub fn settings_config_map(service: &DomainService) -> ConfigMap {
    let settings = &service.spec.settings;
    let text = serde_json::to_string_pretty(settings).expect("settings are plain data");
    let data = BTreeMap::from([(SETTINGS_KEY.to_owned(), text)]);
    config_map(service, data, names::settings_config_map)
}

/// The user's own environment variables, when there are any.
pub fn configuration_config_map(service: &DomainService) -> Option<ConfigMap> {
    let env = environment(&service.spec.workload)?.clone();
    (!env.is_empty()).then(|| config_map(service, env, names::configuration_config_map))
}

/// The user's own files, when there are any.
pub fn files_config_map(service: &DomainService) -> Option<ConfigMap> {
    let files = service.spec.workload.config.as_ref()?.files.clone();
    (!files.is_empty()).then(|| config_map(service, files, names::files_config_map))
}

/// The name of a ConfigMap that is there.
pub(super) fn name_of(config_map: Option<ConfigMap>) -> Option<String> {
    config_map?.metadata.name
}

/// The user's own environment variables.
pub fn environment(workload: &Workload) -> Option<&BTreeMap<String, String>> {
    Some(&workload.config.as_ref()?.env)
}

fn config_map(
    service: &DomainService,
    data: BTreeMap<String, String>,
    name_by_content: fn(&str, &BTreeMap<String, String>) -> String,
) -> ConfigMap {
    ConfigMap {
        metadata: metadata(service, name_by_content(&name(service), &data)),
        data: Some(data),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}
