//! Plain scalars, which are values without quotes. kubectl reads them as YAML 1.1, which differs
//! from YAML 1.2 for some of them.

use serde_json::{Number, Value};

/// A plain scalar that the two versions read differently, with the type that YAML 1.1 gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ambiguous(pub &'static str);

const WORDS_OF_YAML_1_1: [&str; 8] = ["y", "yes", "on", "n", "no", "off", "=", "<<"];

/// The value of a plain scalar.
pub fn value(text: &str) -> Result<Value, Ambiguous> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if is_word_of_yaml_1_1(text) {
        return Err(Ambiguous("a boolean or a directive"));
    }
    if let Some(number) = number(text) {
        return Ok(Value::Number(number));
    }
    if looks_like_a_number(text) {
        return Err(Ambiguous("a number"));
    }
    if looks_like_a_date(text) {
        return Err(Ambiguous("a date"));
    }
    Ok(Value::String(text.to_owned()))
}

/// Whether a plain scalar is one of the few words that have a meaning only in YAML 1.1.
pub fn is_word_of_yaml_1_1(text: &str) -> bool {
    WORDS_OF_YAML_1_1.contains(&text.to_ascii_lowercase().as_str())
}

/// A number in the form that every version of YAML reads: decimal and without leading zeros, with
/// digits on both sides of a decimal point.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let plain = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    if !plain || !fraction.is_none_or(is_digits) {
        return None;
    }
    if fraction.is_some() {
        return Number::from_f64(text.parse().ok()?);
    }
    let signed = text.parse::<i64>().map(Number::from);
    signed
        .or_else(|_| text.parse::<u64>().map(Number::from))
        .ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is an octal, hexadecimal, binary or sexagesimal number, an infinity, or a number
/// with underscores, an exponent or an open fraction.
fn looks_like_a_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan") {
        return true;
    }
    if let Some(digits) = lower.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = lower
        .strip_prefix("0b")
        .or_else(|| lower.strip_prefix("0o"))
    {
        return all(digits, |byte| byte.is_ascii_digit());
    }
    let begins = lower
        .trim_start_matches('.')
        .starts_with(|first: char| first.is_ascii_digit());
    begins && (is_decimal(&lower) || is_sexagesimal(&lower))
}

fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let mut parts = mantissa.splitn(2, '.');
    parts.all(|part| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    }) && is_digits(exponent)
}

fn is_sexagesimal(text: &str) -> bool {
    let whole = text.split('.').next().unwrap_or_default();
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    rest.peek().is_some()
        && all(first, |byte| byte.is_ascii_digit())
        && rest.all(|part| part.len() <= 2 && is_digits(part))
}

fn all(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| wanted(byte) || byte == b'_')
}

/// Whether a text is a date such as `2026-11-21`, with or without a time.
fn looks_like_a_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    let day: String = rest
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let after = rest.unwrap_or_default().chars().nth(day.len());
    year.is_some_and(|year| year.len() == 4 && is_digits(year))
        && month.is_some_and(|month| month.len() <= 2 && is_digits(month))
        && (1..=2).contains(&day.len())
        && matches!(after, None | Some('T' | 't' | ' '))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_that_both_versions_read_alike_are_accepted() {
        for (text, expected) in [
            ("", json!(null)),
            ("true", json!(true)),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("1.5", json!(1.5)),
            ("1.4.2", json!("1.4.2")),
            ("610ms", json!("610ms")),
            ("kafka:9092", json!("kafka:9092")),
            ("10.0.0.1:9092", json!("10.0.0.1:9092")),
            ("/reservations", json!("/reservations")),
            ("200m", json!("200m")),
            ("yesterday", json!("yesterday")),
            ("e5", json!("e5")),
            ("1-2", json!("1-2")),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn scalars_that_they_read_differently_are_refused() {
        for text in [
            "on",
            "Off",
            "YES",
            "no",
            "y",
            "N",
            "010",
            "0o17",
            "0x1F",
            "0b1",
            "1_000",
            "1:30",
            "-1:30",
            "1e3",
            ".5",
            "5.",
            "+5",
            ".inf",
            "-.INF",
            ".nan",
            "2026-11-21",
            "2026-11-21T10:00:00Z",
            "<<",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
