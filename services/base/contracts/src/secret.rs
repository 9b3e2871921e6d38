//! Masks secrets in texts that people will read: logs, answers and statuses, for operator and
//! services alike. It masks the user-info of URLs, values under names such as `password`, keys and
//! tokens of known forms, and values that a parser quotes in an error.

/// A pattern that is compiled when it is first needed.
macro_rules! regex {
    ($pattern:expr) => {
        std::sync::LazyLock::new(|| Regex::new($pattern).expect("the pattern is a constant"))
    };
}
use regex;

mod name;
mod pair;
mod quoted;
mod token;
mod url;
mod word;

use std::borrow::Cow;
use std::ops::Range;

pub use name::is_secret_name;

/// What is shown instead of a secret.
pub const MASK: &str = "***";

/// Values that are never secret, whatever their name.
const NO_VALUES: [&str; 10] = [
    "", MASK, "true", "false", "yes", "no", "on", "off", "none", "null",
];

/// A part of a text that must be masked.
struct Found {
    range: Range<usize>,
    /// Whether it is a credential, as a password is and a user name alone is not.
    opens: bool,
}

/// The text with every secret replaced by [`MASK`]. Masking it again changes nothing.
pub fn masked(text: &str) -> Cow<'_, str> {
    let found = found(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for Found { range, .. } in found {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(MASK);
        }
        end = end.max(range.end);
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

/// Whether a text contains a credential: a password, a key or a token.
pub fn holds_credential(text: &str) -> bool {
    found(text).iter().any(|found| found.opens)
}

/// Whether a value is given where a credential could be, but is none: it is empty or a switch, it
/// refers to the real one, such as `$(PASSWORD)`, or it is masked already.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let encloses = |(open, close): (&str, &str)| {
        let inner = value.strip_prefix(open);
        inner.is_some_and(|it| {
            it.find(close)
                .is_none_or(|end| end + close.len() == it.len())
        })
    };
    let variable = value.strip_prefix('$').unwrap_or_default();
    let is_variable = !variable.is_empty()
        && variable
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    NO_VALUES.contains(&value.to_ascii_lowercase().as_str())
        || is_variable
        || [
            ("${", "}"),
            ("$(", ")"),
            ("{{", "}}"),
            ("#{", "}"),
            ("%%", "%%"),
            ("<", ">"),
        ]
        .into_iter()
        .any(encloses)
}

/// Every secret in a text, in order of position.
fn found(text: &str) -> Vec<Found> {
    let mut found = url::find(text);
    found.extend(pair::find(text));
    found.extend(token::find(text));
    found.extend(quoted::find(text));
    found.sort_by_key(|found| found.range.start);
    found
}
