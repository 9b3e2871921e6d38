//! Finds values without quotes after a colon: `password: hunter2` has one,
//! `cannot read the password: permission denied` has none.

use super::is_placeholder;

/// Punctuation that also occurs within words and names of ordinary text.
const IN_PROSE: &str = "-_/.:,;'()[]{}|";
/// Punctuation that ends a word and is not part of it.
const BEHIND: [char; 9] = [',', ';', '.', ':', '!', '?', ')', ']', '}'];

/// Length in bytes of the value after a name and a colon; `None` where ordinary text follows. A
/// word with a digit, or with punctuation that ordinary words do not have, is always a value. Any
/// other word is one only if another name follows it, or if there is no text before the name and
/// none after the word.
pub(super) fn length(before: &str, rest: &str) -> Option<usize> {
    // Part of a path, such as `registry/token:latest` or `contracts::secret::url`.
    if before.ends_with([':', '/', '\\', '@']) || rest.starts_with([':', '/']) {
        return None;
    }
    let end = rest.find(|it: char| it.is_whitespace() || "\"'<>`".contains(it));
    let (whole, after) = rest.split_at(end.unwrap_or(rest.len()));
    let word = whole.trim_end_matches(BEHIND);
    let after = after.trim_start_matches([' ', '\t']);
    let is_alone = || begins(before) && ends(&whole[word.len()..], after);
    let is_value =
        !is_placeholder(word) && (has_digit_or_sign(word) || is_name(after) || is_alone());
    is_value.then_some(word.len())
}

fn has_digit_or_sign(word: &str) -> bool {
    word.chars()
        .any(|it| !it.is_alphabetic() && !IN_PROSE.contains(it))
}

/// Whether the text begins with another name and its value.
fn is_name(text: &str) -> bool {
    let behind = text.trim_start_matches(|it: char| it.is_alphanumeric() || "_.-".contains(it));
    behind.len() < text.len() && behind.starts_with([':', '='])
}

/// Whether no word comes before the name.
fn begins(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    !before.ends_with(|it: char| it.is_alphanumeric() || it == '_')
}

/// Whether the punctuation after a word, or the text after that, ends the value.
fn ends(signs: &str, after: &str) -> bool {
    let is_closed = after.is_empty() || after.starts_with(['\r', '\n', '"', '\'', '<', '>', '`']);
    signs.ends_with([',', ';', ')', ']', '}']) || is_closed && !signs.ends_with(':')
}
