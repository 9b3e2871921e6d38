//! What `/settings` shows: the fields listed here, and of the user's own values only their names
//! and one hash.

use std::collections::BTreeMap;

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::content::texts_hash;
use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::{Aliases, Component, Database, Log};
use serde::Serialize;
use serde_json::Value;
use serde_with::skip_serializing_none;

use crate::transport::Transports;

/// The settings that may be shown.
#[skip_serializing_none]
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
    database: Option<&'a Database>,
    log: Option<&'a Log>,
    drain_seconds: u32,
    config: Option<Configuration<'a>>,
}

/// The user's own values, by name and hash only.
#[derive(Serialize)]
struct Configuration<'a> {
    env: Vec<&'a str>,
    /// The hash that is also in the name of the ConfigMap.
    hash: String,
}

pub(super) fn shown(settings: &ServiceSettings) -> Value {
    // Without `..`, so that a new field does not compile until somebody decides whether it is
    // shown.
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

/// The settings with how connections are protected now, if there are any.
pub(super) fn with_transports(mut settings: Value, transports: &Transports) -> Value {
    let seen = transports.seen();
    if !seen.is_empty() {
        settings["transport"] = serde_json::to_value(seen).expect("it is plain data");
    }
    settings
}

fn configuration(env: &BTreeMap<String, String>) -> Configuration<'_> {
    Configuration {
        env: env.keys().map(String::as_str).collect(),
        hash: texts_hash(env),
    }
}

/// Masks every text, since an address may have been given with user and password.
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
