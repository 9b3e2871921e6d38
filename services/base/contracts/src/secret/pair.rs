//! Finds values under secret names: `password=…` in a connection string or a query,
//! `"password": "…"` in JSON, `password: …` in running text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Match, Regex};

use super::{Found, is_placeholder, is_secret_name, regex, word};

/// A name and everything up to its value, which Rust may have printed as `Some("…")`.
static NAME: LazyLock<Regex> =
    regex!(r#"([A-Za-z_][\w.-]*)(?:\\?["'])?\s*(?:=>?\s*|:\s*)(?:Some\()?(\\?["']|)"#);
/// An XML element with text.
static ELEMENT: LazyLock<Regex> = regex!(r"<([A-Za-z_][\w.-]*)>([^<]+)</");
/// What ends a value without quotes: the next parameter, or the end of the text.
static NEXT: LazyLock<Regex> = regex!(r"[&;](?:\s|$|[A-Za-z_][\w. -]*=)");

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = elements(text).collect();
    let mut from = 0;
    while let Some(groups) = NAME.captures_at(text, from) {
        let pair = groups.get_match();
        from = pair.end().max(from + 1);
        if is_secret(&text[..pair.start()], &groups[1])
            && let Some(length) = length_behind(text, pair, &groups[2])
        {
            let range = pair.end()..pair.end() + length;
            from = range.end.max(from);
            found.extend(value(text, range));
        }
        from = text.ceil_char_boundary(from);
    }
    found
}

fn elements(text: &str) -> impl Iterator<Item = Found> {
    let elements = ELEMENT.captures_iter(text);
    elements.filter_map(|groups| {
        let content = groups.get(2).filter(|_| is_secret_name(&groups[1]))?;
        value(text, content.range())
    })
}

fn value(text: &str, range: Range<usize>) -> Option<Found> {
    let value = &text[range.clone()];
    (!value.is_empty()).then(|| Found {
        opens: !is_placeholder(value),
        range,
    })
}

/// Whether a name is secret. A bare `key` is secret only if the word before it makes it so.
fn is_secret(before: &str, name: &str) -> bool {
    let is_key = name.eq_ignore_ascii_case("key") || name.eq_ignore_ascii_case("keys");
    is_secret_name(name) || is_key && is_secret_name(&format!("{} {name}", last_word(before)))
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches(' ');
    let rest = text.trim_end_matches(char::is_alphabetic);
    &text[rest.len()..]
}

/// Length of the value after a name in bytes, if there is a value.
fn length_behind(text: &str, pair: Match<'_>, quote: &str) -> Option<usize> {
    let rest = &text[pair.end()..];
    if pair.as_str().contains('=') || !quote.is_empty() {
        return Some(length(rest, quote));
    }
    let is_in_line = !pair.as_str().contains(['\r', '\n']);
    is_in_line
        .then(|| word::length(&text[..pair.start()], rest))
        .flatten()
}

/// Length in bytes of a value that begins here, after its opening quote if it has one.
fn length(text: &str, quote: &str) -> usize {
    if !quote.is_empty() {
        return quoted_length(text, quote);
    }
    // ODBC puts values that contain a semicolon into braces.
    if let Some(inner) = text.strip_prefix('{').filter(|it| !it.starts_with('{')) {
        return text.len().min(1 + quoted_length(inner, "}") + 1);
    }
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '`');
    let value = &text[..text.find(ends).unwrap_or(text.len())];
    NEXT.find(value).map_or(value.len(), |next| next.start())
}

/// Length up to the closing quote; escaped and doubled quotes do not close. A value that is never
/// closed reaches to the end of the text.
fn quoted_length(text: &str, quote: &str) -> usize {
    let mut offset = 0;
    while let Some(length) = text[offset..].find(quote) {
        let end = offset + length;
        let is_doubled = text[end + quote.len()..].starts_with(quote);
        let is_escaped = quote.len() == 1 && text[..end].ends_with('\\');
        if !is_doubled && !is_escaped {
            return end;
        }
        offset = end + quote.len() * if is_doubled { 2 } else { 1 };
    }
    text.len()
}
