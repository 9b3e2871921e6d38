//! Finds user-info: the part before the `@` of a URL, with or without a scheme. Where a password is
//! not percent-encoded as it should be, rather too much is masked than a part of it shown.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, is_placeholder, regex};

/// `scheme://`, plain or as JSON escapes it.
static SCHEME: LazyLock<Regex> = regex!(r"(?i)[a-z][a-z0-9+.-]*:(?:\\?/){2}");
/// A user name and the beginning of a password.
static BEGUN: LazyLock<Regex> = regex!(r#"^[^\s"'`<>,;:@/?\#\\]+:([^\s"'`<>@]*)$"#);
/// A port, followed by a path or a query.
static PORT: LazyLock<Regex> = regex!(r"^\d+[/?\#]");
/// A percent-encoded URL, as in a parameter of another URL.
static ENCODED: LazyLock<Regex> = regex!(r#"(?i)%3A%2F%2F([^\s&"'<>`]*)%40"#);
/// `user:password@` without a scheme.
static BARE: LazyLock<Regex> =
    regex!(r#"(?:^|[\s"'`<>(\[{=,;|]|//)([^\s"'`<>(\[{=,;|:@/\\]*:[^\s"<>`]*)@"#);
/// A host followed by a port or a path. What follows an `@` within a parameter does not look like
/// this.
static HOST: LazyLock<Regex> = regex!(r"^(?:\[[^\]]*\]|[\w.-]+)(?::\d+|/)");
/// The beginning of the first parameter of a URL.
static PARAMETER: LazyLock<Regex> = regex!(r"[?&][A-Za-z_][\w.-]*=");

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = with_scheme(text)
        .chain(groups(&ENCODED, text))
        .map(|range| user_info(text, range))
        .collect();
    // The digest of an image is no host. Its `@` is replaced byte for byte, so that offsets stay
    // the same.
    let without_digests = text.replace("@sha256:", "\0sha256:");
    let bare = groups(&BARE, &without_digests).filter(|range| is_user(&text[range.clone()]));
    found.extend(bare.map(|range| user_info(text, range)));
    found
}

fn user_info(text: &str, range: Range<usize>) -> Found {
    let password = text[range.clone()]
        .split_once(':')
        .map(|(_, password)| password);
    let opens = password.is_some_and(|it| !is_placeholder(it));
    Found { range, opens }
}

fn groups(pattern: &Regex, text: &str) -> impl Iterator<Item = Range<usize>> {
    let groups = pattern
        .captures_iter(text)
        .filter_map(|groups| Some(groups.get(1)?.range()));
    groups.collect::<Vec<_>>().into_iter()
}

/// Whether the text before an `@` can be a user and a password. URLs with a scheme were handled
/// before.
fn is_user(text: &str) -> bool {
    !text.contains("//") && !text.contains("\\/") && !text.starts_with("mailto:")
}

fn with_scheme(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut schemes: Vec<Range<usize>> = Vec::new();
    for scheme in SCHEME.find_iter(text) {
        let between = schemes.last().map(|it| &text[it.end..scheme.start()]);
        if !between.is_some_and(begins_password) {
            schemes.push(scheme.range());
        }
    }
    let ends = schemes.iter().skip(1).map(|next| next.start);
    let ends: Vec<usize> = ends.chain([text.len()]).collect();
    schemes.into_iter().zip(ends).filter_map(|(scheme, end)| {
        let is_web = text[scheme.clone()]
            .to_ascii_lowercase()
            .starts_with("http");
        let length = length(&text[scheme.end..end], is_web)?;
        (length > 0).then_some(scheme.end..scheme.end + length)
    })
}

/// Whether the text after a scheme is a user and the beginning of a password, in which case the
/// apparent next scheme is part of that password.
fn begins_password(between: &str) -> bool {
    let groups = BEGUN.captures(between);
    groups.is_some_and(|it| !PORT.is_match(&it[1]))
}

/// Length in bytes of the user-info at the beginning of the text after a scheme.
fn length(after: &str, is_web: bool) -> Option<usize> {
    let url = until_delimiter(after);
    let authority = &url[..url.find(['/', '?', '#', '\\']).unwrap_or(url.len())];
    if let Some(end) = authority
        .rfind('@')
        .filter(|end| !authority[..*end].contains(':'))
    {
        return Some(end);
    }
    let is_address = !authority.contains('@') && authority.split(',').all(is_host_and_port);
    // Paths of web pages may contain an `@`; names of databases do not.
    if is_address && (is_web || !authority.contains(':')) {
        return None;
    }
    let parameters = PARAMETER.find(url).map_or(url.len(), |it| it.start());
    let last = url.rfind('@');
    let before_host = last.filter(|at| HOST.is_match(&url[at + 1..]));
    let in_url = before_host.or_else(|| url[..parameters].rfind('@').or(last));
    let line = after.lines().next().unwrap_or_default();
    let in_line = line.find('@').filter(|_| !is_address);
    // Of several `@` in a row the last counts, so that masking twice gives the same text.
    in_url.or_else(|| in_line.map(|at| at + repeated(&line[at + 1..])))
}

/// The number of `@` at the beginning of a text.
fn repeated(text: &str) -> usize {
    text.len() - text.trim_start_matches('@').len()
}

/// The text up to the first character that cannot be in a URL.
fn until_delimiter(text: &str) -> &str {
    let mut before = ' ';
    let end = text.char_indices().find(|(_, letter)| {
        let ends = letter.is_whitespace()
            || matches!(letter, '<' | '>' | '`')
            || (*letter == '"' && before != '\\');
        before = *letter;
        ends
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

fn is_host_and_port(text: &str) -> bool {
    let after_address = text.strip_prefix('[').and_then(|it| it.split_once(']'));
    let port = match after_address {
        Some((_, "")) => return true,
        Some((_, rest)) => rest.strip_prefix(':'),
        None => text
            .split_once(':')
            .map_or(Some("0"), |(_, port)| Some(port)),
    };
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}
