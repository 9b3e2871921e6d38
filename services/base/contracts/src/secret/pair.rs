//! Values under secret names: `password=…` in a connection string or a query, `"password": "…"` in JSON, `password: …` in running text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Match, Regex};

use super::{Found, is_placeholder, is_secret_name, regex, word};

/// A name, and what stands between it and its value, which Rust may show as `Some("…")`.
static NAME: LazyLock<Regex> =
    regex!(r#"([A-Za-z_][\w.-]*)(?:\\?["'])?\s*(?:=>?\s*|:\s*)(?:Some\()?(\\?["']|)"#);
/// An element of XML.
static ELEMENT: LazyLock<Regex> = regex!(r"<([A-Za-z_][\w.-]*)>([^<]+)</");
/// What ends a value without quotes: its parameter is over and another begins, or nothing.
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

/// Whether a name is one of a secret, which a key is by the word before it.
fn is_secret(before: &str, name: &str) -> bool {
    let is_key = name.eq_ignore_ascii_case("key") || name.eq_ignore_ascii_case("keys");
    is_secret_name(name) || is_key && is_secret_name(&format!("{} {name}", last_word(before)))
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches(' ');
    let rest = text.trim_end_matches(char::is_alphabetic);
    &text[rest.len()..]
}

/// How long the value behind a name is, if there is one.
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

/// How long a value is that begins here, after its quote if it has one.
fn length(text: &str, quote: &str) -> usize {
    if !quote.is_empty() {
        return quoted_length(text, quote);
    }
    // ODBC puts what has a semicolon in it into braces.
    if let Some(inner) = text.strip_prefix('{').filter(|it| !it.starts_with('{')) {
        return text.len().min(1 + quoted_length(inner, "}") + 1);
    }
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<' | '>' | '`');
    let value = &text[..text.find(ends).unwrap_or(text.len())];
    NEXT.find(value).map_or(value.len(), |next| next.start())
}

/// Up to the quote that closes it: neither an escaped nor a doubled one does. What is never closed is hidden whole.
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
