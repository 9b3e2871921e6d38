//! What `/settings` shows: what is listed here, and of a user's own values no more than which ones these are.

use std::collections::BTreeMap;

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::content::texts_hash;
use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::{Aliases, Component, Database, Log};
use serde::Serialize;
use serde_json::Value;

/// The settings as they may be shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    namespace: &'a str,
    platform: &'a str,
    incarnation: u32,
    service: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    #[serde(skip_serializing_if = "Aliases::is_empty")]
    aliases: &'a Aliases,
    component: &'a Component,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a Database>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a Log>,
    drain_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Configuration<'a>>,
}

/// A user's own values: their names, and which contents they have.
#[derive(Serialize)]
struct Configuration<'a> {
    env: Vec<&'a str>,
    /// As in the name of the ConfigMap.
    hash: String,
}

pub(super) fn shown(settings: &ServiceSettings) -> Value {
    // Whoever adds a field has to say whether it may be shown.
    let ServiceSettings {
        namespace,
        platform,
        incarnation,
        service,
        path,
        aliases,
        component,
        database,
        log,
        drain_seconds,
        config,
    } = settings;
    let shown = Shown {
        namespace,
        platform,
        incarnation: *incarnation,
        service,
        path,
        aliases,
        component,
        database: database.as_ref(),
        log: log.as_ref(),
        drain_seconds: *drain_seconds,
        config: (!config.is_empty()).then(|| configuration(config)),
    };
    with_masked_texts(serde_json::to_value(shown).expect("settings are plain data"))
}

fn configuration(env: &BTreeMap<String, String>) -> Configuration<'_> {
    Configuration {
        env: env.keys().map(String::as_str).collect(),
        hash: texts_hash(env),
    }
}

/// An address may have been given with user and password.
fn with_masked_texts(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(masked(&text)),
        Value::Array(items) => items.into_iter().map(with_masked_texts).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (masked(&name).into_owned(), with_masked_texts(value)))
            .collect(),
        other => other,
    }
}
