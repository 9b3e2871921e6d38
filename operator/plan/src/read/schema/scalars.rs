//! Single values: their type, choice, bounds and pattern.

use regex::Regex;
use serde_json::Value;

use crate::refusal::Collector;

/// Whether a value has its type; refuses it otherwise.
pub(super) fn check_type(
    schema: &Value,
    value: &Value,
    place: &str,
    collector: &mut Collector,
) -> bool {
    let found = type_of(value);
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        if matches!(found, "integer" | "string") {
            return true;
        }
        return refuse_type("integer,string", value, place, collector);
    }
    match schema.get("type").and_then(Value::as_str) {
        None => true,
        Some(wanted) if wanted == found => true,
        Some("number") if found == "integer" => true,
        Some(wanted) => refuse_type(wanted, value, place, collector),
    }
}

fn refuse_type(wanted: &str, value: &Value, place: &str, collector: &mut Collector) -> bool {
    let found = type_of(value);
    collector.refuse(
        place,
        format!(
            "Invalid value: \"{found}\": {place} in body must be of type {wanted}: \"{found}\""
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

pub(super) fn check(schema: &Value, value: &Value, place: &str, collector: &mut Collector) {
    check_choice(schema, value, place, collector);
    if let Some(number) = value.as_f64() {
        check_range(schema, value, number, place, collector);
    }
    if let Some(text) = value.as_str() {
        check_text(schema, text, place, collector);
    }
}

fn check_choice(schema: &Value, value: &Value, place: &str, collector: &mut Collector) {
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
        place,
        format!(
            "Unsupported value: {value}: supported values: {}",
            choices.join(", ")
        ),
    );
}

/// A choice in quotes, as the API server writes numbers, too.
fn quoted(choice: &Value) -> String {
    match choice {
        Value::String(_) => choice.to_string(),
        other => format!("\"{other}\""),
    }
}

fn check_range(schema: &Value, value: &Value, number: f64, place: &str, collector: &mut Collector) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if let Some(least) = bound("minimum").filter(|least| number < *least) {
        collector.refuse(
            place,
            format!(
                "Invalid value: {value}: {place} in body should be greater than or equal to {least}"
            ),
        );
    }
    if let Some(most) = bound("maximum").filter(|most| number > *most) {
        collector.refuse(
            place,
            format!(
                "Invalid value: {value}: {place} in body should be less than or equal to {most}"
            ),
        );
    }
}

fn check_text(schema: &Value, text: &str, place: &str, collector: &mut Collector) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    let length = text.chars().count() as u64;
    if let Some(most) = bound("maxLength").filter(|most| length > *most) {
        collector.refuse(
            place,
            format!("Too long: may not be more than {most} bytes"),
        );
    }
    if let Some(least) = bound("minLength").filter(|least| length < *least) {
        collector.refuse(
            place,
            format!(
                "Invalid value: \"{text}\": {place} in body should be at least {least} chars long"
            ),
        );
    }
    let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
        return;
    };
    if Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
        collector.refuse(
            place,
            format!("Invalid value: \"{text}\": {place} in body should match '{pattern}'"),
        );
    }
}
