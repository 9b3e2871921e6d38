//! Checks single values: their type, choices, bounds and pattern.

use regex::Regex;
use serde_json::Value;

use crate::refusal::Collector;

/// Whether a value has the type of its schema. Refuses it if not.
pub(super) fn check_type(
    schema: &Value,
    value: &Value,
    field_path: &str,
    collector: &mut Collector,
) -> bool {
    let found = type_of(value);
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        if matches!(found, "integer" | "string") {
            return true;
        }
        return refuse_type("integer,string", value, field_path, collector);
    }
    match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some(wanted) if wanted == found => true,
        Some("number") if found == "integer" => true,
        Some(wanted) => refuse_type(wanted, value, field_path, collector),
    }
}

fn refuse_type(wanted: &str, value: &Value, field_path: &str, collector: &mut Collector) -> bool {
    let found = type_of(value);
    collector.refuse(
        field_path,
        format!(
            "Invalid value: \"{found}\": {field_path} in body must be of type {wanted}: \"{found}\""
        ),
    );
    false
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn check(schema: &Value, value: &Value, field_path: &str, collector: &mut Collector) {
    check_choice(schema, value, field_path, collector);
    if let Some(number) = value.as_f64() {
        check_range(schema, value, number, field_path, collector);
    }
    if let Some(text) = value.as_str() {
        check_text(schema, text, field_path, collector);
    }
}

fn check_choice(schema: &Value, value: &Value, field_path: &str, collector: &mut Collector) {
    let Some(choices) = schema.get("enum").and_then(Value::as_array) else {
        return;
    };
    if choices.contains(value) {
        return;
    }
    let choices: Vec<String> = choices
        .iter()
        .filter(|choice| !choice.is_null())
        .map(quoted)
        .collect();
    collector.refuse(
        field_path,
        format!(
            "Unsupported value: {value}: supported values: {}",
            choices.join(", ")
        ),
    );
}

/// A choice in quotes. The API server puts numbers in quotes, too.
fn quoted(choice: &Value) -> String {
    match choice {
        Value::String(_) => choice.to_string(),
        other => format!("\"{other}\""),
    }
}

fn check_range(
    schema: &Value,
    value: &Value,
    number: f64,
    field_path: &str,
    collector: &mut Collector,
) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let Some(least) = bound("minimum").filter(|least| number < *least) {
        collector.refuse(
            field_path,
            format!(
                "Invalid value: {value}: {field_path} in body should be greater than or equal to {least}"
            ),
        );
    }
    if let Some(most) = bound("maximum").filter(|most| number > *most) {
        collector.refuse(
            field_path,
            format!(
                "Invalid value: {value}: {field_path} in body should be less than or equal to {most}"
            ),
        );
    }
}

fn check_text(schema: &Value, text: &str, field_path: &str, collector: &mut Collector) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    let length = text.chars().count() as u64;
    if let Some(most) = bound("maxLength").filter(|most| length > *most) {
        collector.refuse(
            field_path,
            format!("Too long: may not be more than {most} bytes"),
        );
    }
    if let Some(least) = bound("minLength").filter(|least| length < *least) {
        collector.refuse(
            field_path,
            format!(
                "Invalid value: \"{text}\": {field_path} in body should be at least {least} chars long"
            ),
        );
    }
    let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
        return;
    };
    if Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
        collector.refuse(
            field_path,
            format!("Invalid value: \"{text}\": {field_path} in body should match '{pattern}'"),
        );
    }
}
