//! Values in a platform's file that look like credentials. Everyone who may read the platform or
//! its ConfigMaps can read them.

use std::fmt;
use std::sync::LazyLock;

use innkeeper_contracts::secret::{holds_credential, is_placeholder, is_secret_name, masked};
use regex::Regex;
use serde_json::Value;

/// A warning about a value that looks like a credential. It does not repeat the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// The line of the file, from 1.
    pub line: Option<usize>,
    /// The path of the field that holds the value.
    pub field_path: String,
    /// Why the value looks like a credential.
    looks_like: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        let (field_path, looks_like) = (masked(&self.field_path), self.looks_like);
        write!(
            formatter,
            "{field_path}: this looks like a credential ({looks_like}), and whoever may read the platform or its ConfigMaps can read it: put it into a Secret, and name that under secrets.env"
        )
    }
}

/// Said of a value whose field has a name such as `password`.
const NAME: &str = "by its name";
/// Said of a value that looks like a credential itself, whatever its name.
const FORM: &str = "a password in a URL or connection string, a key, or a token";

/// Matches a line of YAML that has a name and a value without spaces.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(?:-\s+)?([A-Za-z_][\w.-]*):[ \t]+(\S+)[ \t]*\r?$")
        .expect("the pattern is a constant")
});

/// Finds every value of an object that looks like a credential, in the order of the file.
pub fn find(object: &Value) -> Vec<Warning> {
    let mut found = Vec::new();
    look(object, "", &mut found);
    found
}

fn look(value: &Value, field_path: &str, found: &mut Vec<Warning>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let inner = if field_path.is_empty() {
                    name.clone()
                } else {
                    format!("{field_path}.{name}")
                };
                let looks_like = value
                    .as_str()
                    .and_then(|text| credential(field_path, name, text));
                match looks_like {
                    Some(looks_like) => found.push(warning(inner, looks_like)),
                    None if value.is_string() => {}
                    None => look(value, &inner, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look(item, &format!("{field_path}[{index}]"), found);
            }
        }
        Value::String(text) if holds_credential(text) => {
            found.push(warning(field_path.to_owned(), FORM));
        }
        _ => {}
    }
}

fn warning(field_path: String, looks_like: &'static str) -> Warning {
    Warning {
        line: None,
        field_path,
        looks_like,
    }
}

/// Why the value of a field looks like a credential; `None` if it does not. `map` is the name of
/// the map that holds the field.
fn credential(map: &str, name: &str, text: &str) -> Option<&'static str> {
    let is_in = |fields: &[&str]| fields.iter().any(|field| map.ends_with(field));
    if holds_credential(text) {
        Some(FORM)
    } else if is_in(&[".config.env", ".annotations", ".labels"]) {
        is_secret_value(name, text).then_some(NAME)
    } else if is_in(&[".config.files"]) {
        let stem = name.split('.').find(|part| !part.is_empty());
        let is_whole = is_secret_value(stem.unwrap_or_default(), text) && text.lines().count() == 1;
        let mut lines = LINE.captures_iter(text);
        (is_whole || lines.any(|line| is_secret_value(&line[1], unquoted(&line[2]))))
            .then_some(NAME)
    } else {
        None
    }
}

fn is_secret_value(name: &str, value: &str) -> bool {
    let is_folder = name == "PWD" && value.starts_with(['/', '.']);
    is_secret_name(name) && !is_placeholder(value) && !is_folder
}

fn unquoted(value: &str) -> &str {
    value.trim_matches(['"', '\''])
}
