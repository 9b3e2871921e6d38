//! Values under secret names: `password=…` in a connection string or a query, `"password": "…"` in JSON.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, is_placeholder, is_secret_name, regex};

/// A name, and what stands between it and its value.
static NAME: LazyLock<Regex> =
    regex!(r#"([A-Za-z_][\w.-]*)(?:\\?["'])?\s*(?:=>?\s*|:\s*)(\\?["']|)"#);
/// An element of XML.
static ELEMENT: LazyLock<Regex> = regex!(r"<([A-Za-z_][\w.-]*)>([^<]+)</");
/// What ends a value without quotes: its parameter is over and another begins, or nothing.
static NEXT: LazyLock<Regex> = regex!(r"[&;](?:\s|$|[A-Za-z_][\w. -]*=)");

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = elements(text).collect();
    let mut from = 0;
    while let Some(groups) = NAME.captures_at(text, from) {
        let (all, quote) = (groups.get_match(), &groups[2]);
        from = all.end().max(from + 1);
        let rest = &text[all.end()..];
        let is_number = !all.as_str().contains('=') && rest.starts_with(is_digit);
        let is_pair = all.as_str().contains('=') || !quote.is_empty() || is_number;
        if is_pair && is_secret_name(&groups[1]) {
            let length = if is_number {
                rest.find(ends_word).unwrap_or(rest.len())
            } else {
                length(rest, quote)
            };
            let range = all.end()..all.end() + length;
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

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || ",;&\"'})]".contains(letter)
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
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
    let mut place = 0;
    while let Some(length) = text[place..].find(quote) {
        let end = place + length;
        let is_doubled = text[end + quote.len()..].starts_with(quote);
        let is_escaped = quote.len() == 1 && text[..end].ends_with('\\');
        if !is_doubled && !is_escaped {
            return end;
        }
        place = end + quote.len() * if is_doubled { 2 } else { 1 };
    }
    text.len()
}
