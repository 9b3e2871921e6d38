//! Reads the platforms in the text of a file, as strictly as kubectl and the API server do.

mod plain;
mod rules;
mod schema;
mod yaml;

use innkeeper_crds::{BookingPlatform, BookingPlatformStatus, GROUP, VERSION};
use serde_json::Value;

use crate::credentials::{self, Warning};
use crate::refusal::{Collector, Refusals, Refuser};
use crate::size;

pub use schema::Schema;
pub use yaml::Document;

const STATUS: &str = "status";

/// The contents of a file.
#[derive(Debug)]
pub struct Contents {
    /// The platforms in the file.
    pub platforms: Vec<PlatformFile>,
    /// Kind and name of every other object in the file, which only kubectl reads.
    pub others: Vec<String>,
}

/// One platform of a file.
#[derive(Debug)]
pub struct PlatformFile {
    /// The platform itself. Of its status only image and topic are there.
    pub platform: BookingPlatform,
    document: Document,
}

impl PlatformFile {
    /// Whether the file contains a status.
    pub fn has_status(&self) -> bool {
        self.document.value.get(STATUS).is_some()
    }

    /// The refusals, with the lines of this file.
    #[must_use]
    pub fn located(&self, refusals: Refusals) -> Refusals {
        refusals.located(|field_path| self.document.line_of(field_path))
    }

    /// Whether `kubectl apply` takes this platform with `--server-side` only.
    pub fn needs_server_side(&self) -> bool {
        size::is_too_large_for_last_applied(&self.document.value)
    }

    /// Warnings about values of this file that look like credentials.
    pub fn credentials(&self) -> Vec<Warning> {
        let mut warnings = credentials::find(&self.document.value);
        for warning in &mut warnings {
            warning.line = self.document.line_of(&warning.field_path);
        }
        warnings
    }
}

/// Reads the platforms of a file. The parser comes first, then the schema, then the rules in the
/// schema. Each step refuses with everything that is wrong, and the next step runs only if nothing
/// was.
pub fn read(text: &str) -> Result<Contents, Refusals> {
    let mut contents = Contents {
        platforms: Vec::new(),
        others: Vec::new(),
    };
    for document in yaml::documents(text)?.into_iter().flat_map(unlisted) {
        if is_platform(&document)? {
            contents.platforms.push(platform(document)?);
        } else {
            contents.others.push(title(&document.value));
        }
    }
    if contents.platforms.is_empty() {
        return Err(nothing_found(&contents.others));
    }
    Ok(contents)
}

/// The objects of a list, as kubectl prints several; any other document is one object, and so is a
/// list whose items are none.
fn unlisted(document: Document) -> Vec<Document> {
    let kind = document.value.get("kind").and_then(Value::as_str);
    let is_list = matches!(kind, Some("List" | "BookingPlatformList"));
    let items = document.value.get("items").and_then(Value::as_array);
    let Some(items) = items.filter(|_| is_list) else {
        return vec![document];
    };
    let items = (0..items.len()).map(|index| document.inner("items", index));
    items.flat_map(unlisted).collect()
}

/// The object without what only a cluster writes into its metadata.
fn of_a_file(mut object: Value) -> Value {
    const OF_A_CLUSTER: [&str; 9] = [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ];
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !OF_A_CLUSTER.contains(&name.as_str()));
    }
    object
}

fn is_platform(document: &Document) -> Result<bool, Refusals> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str);
    let check_version = || {
        let expected = format!("{GROUP}/{VERSION}");
        let mut collector = Collector::new(Refuser::Parser);
        if text("apiVersion") != Some(&expected) {
            collector.refuse("apiVersion", format!("expected {expected}"));
        }
        collector.finish(true)
    };
    let is_platform = Schema::check_kind(&document.value).and_then(|()| {
        if text("kind") == Some("BookingPlatform") {
            check_version()
        } else {
            Ok(false)
        }
    });
    is_platform.map_err(|refusals| refusals.located(|field_path| document.line_of(field_path)))
}

fn platform(document: Document) -> Result<PlatformFile, Refusals> {
    let schema = Schema::of("BookingPlatform");
    let mut described = document.value.clone();
    let status = described.as_object_mut().and_then(|it| it.remove(STATUS));
    let stored = without_nulls(&described);
    let read = schema
        .check_fields(&described)
        .and_then(|()| schema.check(&stored))
        .map(|()| schema.with_defaults(&of_a_file(stored)))
        .and_then(|value| {
            rules::check(&schema, &value, None)?;
            typed(value)
        });
    match read {
        Ok(mut platform) => {
            platform.status = status.as_ref().map(pinned);
            Ok(PlatformFile { platform, document })
        }
        Err(refusals) => Err(refusals.located(|field_path| document.line_of(field_path))),
    }
}

/// What a platform keeps of its status: image and topic. The rest may be of another release.
fn pinned(status: &Value) -> BookingPlatformStatus {
    let text = |name: &str| status.get(name)?.as_str().map(str::to_owned);
    BookingPlatformStatus {
        image: text("image"),
        topic: text("topic"),
        ..BookingPlatformStatus::default()
    }
}

/// Removes fields without a value, which the API server treats as absent.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Converts a checked value to its type. Only what the schema cannot express can fail here.
fn typed(value: Value) -> Result<BookingPlatform, Refusals> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut collector = Collector::new(Refuser::Parser);
        let field_path = error.path().to_string();
        collector.refuse(field_path, error.inner().to_string());
        collector
            .finish(())
            .expect_err("something was refused just now")
    })
}

fn title(value: &Value) -> String {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    match (text("/kind"), text("/metadata/name")) {
        (Some(kind), Some(name)) => format!("{kind} {name}"),
        (Some(kind), None) => kind.to_owned(),
        _ => "a document without a kind".to_owned(),
    }
}

fn nothing_found(others: &[String]) -> Refusals {
    let mut collector = Collector::new(Refuser::Parser);
    let found = if others.is_empty() {
        "nothing".to_owned()
    } else {
        others.join(", ")
    };
    collector.refuse(
        "",
        format!("expected a BookingPlatform of {GROUP}/{VERSION}, found {found}"),
    );
    collector
        .finish(())
        .expect_err("something was refused just now")
}

/// Checks a changed platform against the rules about changes, such as that a topic keeps its name.
pub fn check_update(old: &BookingPlatform, new: &BookingPlatform) -> Result<(), Refusals> {
    let value = |platform| serde_json::to_value(platform).unwrap_or_default();
    rules::check(
        &Schema::of("BookingPlatform"),
        &value(new),
        Some(&value(old)),
    )
}
